import type { Dispatcher } from 'undici';
import { RollcallError } from './error.ts';
import { parseOptions, type ResolvedOptions, RollcallOptions } from './options.ts';
import type { RegisterOptions, Registration } from './registration.ts';
import type { Service, ServiceOptions } from './service.ts';

/** A client of the registry. */
export class Rollcall {
  readonly #options: ResolvedOptions;

  constructor(options: RollcallOptions) {
    this.#options = Object.freeze(parseOptions(RollcallOptions, options));
  }

  /** Puts an instance on the roll and keeps it there. */
  async register(options: RegisterOptions): Promise<Registration> {
    throw new RollcallError('closed', `not yet: ${options.service} ${this.#options.namespace}`);
  }

  /** The live picture of a service, and calls to it. */
  service(name: string, options: ServiceOptions = {}): Service {
    throw new RollcallError('closed', `not yet: ${name} ${options.namespace}`);
  }

  /** Lets an undici dispatcher reach `http://<service>.rollcall`. */
  interceptor(): Dispatcher.DispatcherComposeInterceptor {
    throw new RollcallError('closed', 'not yet');
  }

  /** Ends everything; twice does no harm. */
  async close(): Promise<void> {}
}
