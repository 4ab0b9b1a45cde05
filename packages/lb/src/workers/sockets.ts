import { bindSocket, type BoundSocket, type SocketPlace } from '@rollcall/dataplane';

/** Where the sockets of listeners come from. */
export interface Sockets {
  /**
   * `key`: of the listener.
   * @throws the system's error when the address cannot be bound.
   */
  bind(place: SocketPlace, key: string): Promise<BoundSocket>;
}

/** They are bound by this process. */
export const OWN_SOCKETS: Sockets = { bind: bindSocket };
