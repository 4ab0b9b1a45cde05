import type { ConnectHandler, Connection, Transport } from '../io/transport.ts';
import type { Target } from '../model/target.ts';

/** Receives the events of a connection to a target. */
export interface UpstreamListener {
  onUpstreamOpen(): void;
  onUpstreamData(buffer: Buffer, start: number, end: number): void;
  onUpstreamDrain(): void;
  onUpstreamEnd(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
}

/** One attempt on a target. After it is given up, it reports nothing more. */
export class TcpUpstream implements ConnectHandler {
  readonly target: Target;
  isOpen = false;
  #listener: UpstreamListener | undefined;
  #connection: Connection | undefined;

  constructor(target: Target, listener: UpstreamListener) {
    this.target = target;
    this.#listener = listener;
  }

  /** Valid once connected. */
  get connection(): Connection {
    return this.#connection!;
  }

  /** @throws the system's error for an invalid port or host. */
  connect(transport: Transport): void {
    this.#connection = transport.connect(this.target, this);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    return this.#connection!.write(buffer, start, end);
  }

  pause(): void {
    this.#connection!.pause();
  }

  resume(): void {
    this.#connection!.resume();
  }

  shutdown(): void {
    this.#connection!.shutdown();
  }

  abort(): void {
    this.#connection!.abort();
  }

  giveUp(): void {
    this.#listener = undefined;
    this.#connection?.abort();
  }

  onConnect(): void {
    this.isOpen = true;
    // It was given up while connecting: only now can it be aborted.
    if (this.#listener === undefined) this.#connection?.abort();
    else this.#listener.onUpstreamOpen();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#listener?.onUpstreamData(buffer, start, end);
  }

  onDrain(): void {
    this.#listener?.onUpstreamDrain();
  }

  onEnd(): void {
    this.#listener?.onUpstreamEnd();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    this.#listener?.onUpstreamClose(error);
  }
}
