import type { BoundSocket, SocketHandle, SocketPlace } from '@rollcall/dataplane';
import type { Sockets } from '../workers/sockets.ts';
import type { OperationsState } from '../operations/operations.ts';
import type { FromSupervisor, ToSupervisor } from './messages.ts';

type Answer = Extract<FromSupervisor, { readonly id: number }>;

interface Waiting {
  readonly resolve: (socket: BoundSocket) => void;
  readonly reject: (error: Error) => void;
  readonly key: string;
}

export interface SupervisorEvents {
  /** The file is to be applied as it is now. */
  readonly onReload: () => void;
  /** A successor serves. */
  readonly onRetire: () => void;
  /** The supervisor has ended. */
  readonly onGone: () => void;
}

/** Sockets that the supervisor of this process owns: they stay open when this process ends. */
export class SupervisedSockets implements Sockets {
  readonly #process: NodeJS.Process;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(own: NodeJS.Process, { onReload, onRetire, onGone }: SupervisorEvents) {
    this.#process = own;
    own.on('message', (message: FromSupervisor, socket: unknown) => {
      if (message.kind === 'retire') onRetire();
      else if (message.kind === 'reload') onReload();
      else this.#onAnswer(message, socket as SocketHandle);
    });
    own.on('disconnect', onGone);
  }

  bind(place: SocketPlace, key: string): Promise<BoundSocket> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<BoundSocket>();
    this.#waiting.set(id, { resolve, reject, key });
    this.#tell({ kind: 'bind', id, key, place });
    return promise;
  }

  /** Operators have asked for this; what comes after this process is told. */
  keep(state: OperationsState): void {
    this.#tell({ kind: 'operations', state });
  }

  /** This process takes requests. */
  serving(): void {
    this.#tell({ kind: 'serving' });
  }

  #onAnswer(message: Answer, handle: SocketHandle): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting === undefined) return;
    const { key } = waiting;
    if (message.kind === 'refused') {
      waiting.reject(Object.assign(new Error(message.message), { code: message.code }));
      return;
    }
    const close = (): void => {
      handle.close();
      this.#tell({ kind: 'release', key });
    };
    waiting.resolve({ address: message.address, handle, close });
  }

  #tell(message: ToSupervisor): void {
    if (this.#process.connected) this.#process.send?.(message, undefined, undefined, () => {});
  }
}
