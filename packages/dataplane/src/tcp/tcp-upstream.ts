import type { ConnectHandler, Connection, Transport } from '../io/transport.ts';
import type { Target } from '../model/target.ts';

/** Who hears of a connection to a target. */
export interface UpstreamListener {
  onUpstreamOpen(): void;
  onUpstreamData(buffer: Buffer, start: number, end: number): void;
  onUpstreamDrain(): void;
  onUpstreamEnd(): void;
  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void;
}

/** One attempt at a target. Given up, it is silent: what comes late concerns nobody. */
export class TcpUpstream implements ConnectHandler {
  readonly target: Target;
  isOpen = false;
  #listener: UpstreamListener | undefined;
  #connection: Connection | undefined;

  constructor(target: Target, listener: UpstreamListener) {
    this.target = target;
    this.#listener = listener;
  }

  /** Of use once it was connected. */
  get connection(): Connection {
    return this.#connection!;
  }

  /** @throws what the system says of a port or host that is none. */
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
    // Given up while it was connecting: only now can it be broken off.
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
