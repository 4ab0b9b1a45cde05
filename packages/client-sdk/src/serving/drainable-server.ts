import { within } from '@rollcall/runtime';
import type { Registration } from '../api/registration.ts';
import { RollcallError } from '../base/error.ts';
import type { Runtime } from '../base/runtime.ts';
import { leavingOf } from '../registration/leaving.ts';
import type { Ending } from './ending.ts';
import { GrpcEnding, type GrpcServer } from './grpc-ending.ts';
import { HttpEnding, type HttpServer } from './http-ending.ts';
import type { ResolvedServe } from './serve-options.ts';

/** How serving ended. */
export interface Drained {
  /** Connections that were cut off after `graceMs`; 0 = nothing was lost. */
  readonly cutOff: number;
  /** Whether the instance is off the roll. If no registry answered, its lease ends at its TTL. */
  readonly isDeregistered: boolean;
}

/** A server that leaves the roll, and then ends, without failing a call. */
export class DrainableServer {
  readonly #options: ResolvedServe;
  readonly #runtime: Runtime;
  readonly #ending: Ending;
  #ended: Promise<void> | undefined;
  #cutOff = 0;

  /**
   * Connections that were made before are not known to it: create it before the server listens, or right after. Throws
   * a {@link RollcallError} `invalid_options` for anything but a server.
   */
  constructor(server: HttpServer | GrpcServer, runtime: Runtime, options: ResolvedServe) {
    this.#options = options;
    this.#runtime = runtime;
    this.#ending = endingOf(server, runtime, options);
  }

  /** Connections that were cut off. */
  get cutOff(): number {
    return this.#cutOff;
  }

  /** Lets the instance leave the roll once it is asked to, or does so by itself, and ends the server meanwhile. */
  async serve(registration: Registration, asked: Promise<unknown>): Promise<Drained> {
    leavingOf(registration).attach({ end: () => this.end() });
    await Promise.race([asked, leftOf(registration)]);
    const { settleMs } = this.#options;
    let isDeregistered = true;
    await registration.drain(settleMs === undefined ? {} : { settleMs }).catch((error: unknown) => {
      // Any other error is that of the application's `whenIdle`, after which it left the roll all the same.
      isDeregistered = !(error instanceof RollcallError);
    });
    await this.end();
    return { cutOff: this.#cutOff, isDeregistered };
  }

  /** Ends the server: what is under way is awaited for `graceMs`. The same promise each time. */
  end(): Promise<void> {
    return (this.#ended ??= this.#end());
  }

  /** For a server that never listened. */
  drop(): void {
    this.#ending.cut();
  }

  async #end(): Promise<void> {
    const over = Promise.all([this.#ending.leave(), this.#closeStreams()]);
    try {
      await within(this.#runtime, this.#options.graceMs, over);
    } finally {
      this.#cutOff = this.#ending.cut();
    }
  }

  /** If it fails, what is open is awaited all the same. */
  async #closeStreams(): Promise<void> {
    try {
      await this.#options.closeStreams?.();
    } catch (error) {
      this.#runtime.warn(`closeStreams failed: ${String(error)}`, error);
    }
  }
}

function endingOf(
  server: HttpServer | GrpcServer,
  runtime: Runtime,
  options: ResolvedServe,
): Ending {
  if (isGrpc(server)) return new GrpcEnding(server, runtime, options);
  if (isHttp(server)) return new HttpEnding(server, runtime, options);
  throw new RollcallError(
    'invalid_options',
    'option server: expected a server of node:http, node:https, node:http2 or @grpc/grpc-js',
    { field: 'server' },
  );
}

const isGrpc = (given: unknown): given is GrpcServer => hasFunction(given, 'tryShutdown');
const isHttp = (given: unknown): given is HttpServer => hasFunction(given, 'address');
const hasFunction = (given: unknown, name: string): boolean =>
  typeof (given as Readonly<Record<string, unknown>> | null | undefined)?.[name] === 'function';

/** Resolves when the application itself lets the instance leave. */
function leftOf(registration: Registration): Promise<void> {
  return new Promise((resolve) => {
    if (registration.state === 'released') resolve();
    registration.on('draining', resolve);
    registration.on('released', resolve);
  });
}
