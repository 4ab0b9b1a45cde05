import type { Clock } from '@rollcall/runtime';
import { pause } from '@rollcall/runtime';
import type { Ending, EndingOptions } from './ending.ts';

/** The part of a server of `@grpc/grpc-js` that is used here. */
export interface GrpcServer {
  /** Listens no more, tells each client to leave, and calls back when all streams are over. */
  tryShutdown(callback: (error?: Error) => void): void;
  forceShutdown(): void;
}

/** Ends a server of `@grpc/grpc-js`. */
export class GrpcEnding implements Ending {
  readonly #server: GrpcServer;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #lingerMs: number;
  #leaving: Promise<void> | undefined;
  #isOver = false;

  constructor(server: GrpcServer, clock: Pick<Clock, 'after'>, { lingerMs }: EndingOptions) {
    this.#server = server;
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  cut(): number {
    if (this.#isOver) return 0;
    this.#server.forceShutdown();
    return 1;
  }

  async #leave(): Promise<void> {
    // A call that is on its way would be refused.
    await pause(this.#clock, this.#lingerMs);
    await new Promise<void>((resolve, reject) => {
      this.#server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
    });
    this.#isOver = true;
  }
}
