import type { PassedSocket } from '@rollcall/daemon';
import type { Address, SocketPlace } from '@rollcall/dataplane';
import type { OperationsState } from '../operations/operations.ts';

/** The variable that tells a balancer that a supervisor owns its sockets. */
export const SUPERVISED_VARIABLE = 'ROLLCALL_LB_SUPERVISED';

/** What a supervised balancer knows when it starts, as JSON. */
export interface SupervisedStart {
  /** Those that the service manager passed to the supervisor. */
  readonly sockets: readonly PassedSocket[];
  /** Another balancer serves, and will go. */
  readonly isSuccessor: boolean;
  /** What operators had asked for of the balancer before it. */
  readonly operations?: OperationsState | undefined;
}

/** What a balancer tells its supervisor. */
export type ToSupervisor =
  | {
      readonly kind: 'bind';
      readonly id: number;
      readonly key: string;
      readonly place: SocketPlace;
    }
  /** It does not use the socket any more. */
  | { readonly kind: 'release'; readonly key: string }
  /** What operators have asked for: it holds for balancers that come after it. */
  | { readonly kind: 'operations'; readonly state: OperationsState }
  /** It takes requests. */
  | { readonly kind: 'serving' };

/** What a supervisor tells a balancer. */
export type FromSupervisor =
  /** With the socket itself. */
  | { readonly kind: 'bound'; readonly id: number; readonly address: Address }
  | {
      readonly kind: 'refused';
      readonly id: number;
      readonly message: string;
      readonly code: string | undefined;
    }
  /** The file is to be applied as it is now. A signal could reach a process that does not know it yet, and end it. */
  | { readonly kind: 'reload' }
  /** A successor serves: it may go. */
  | { readonly kind: 'retire' };
