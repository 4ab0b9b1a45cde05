import type { RollcallOptions } from '../api/options.ts';
import { RollcallError } from '../base/error.ts';
import { Rollcall } from '../rollcall.ts';
import type { InstanceOptions } from '../serving/instance-options.ts';

/** Options of an entry that has a life cycle of its own. */
export interface FrameworkOptions extends InstanceOptions {
  /** A client, which stays open when the application is closed; or the options of one, which is then closed with it. */
  readonly rollcall: Rollcall | RollcallOptions;
}

/** The client of an application. */
export interface OwnedClient {
  readonly rollcall: Rollcall;
  /** Closes it if it was made here. Safe to call twice. */
  close(): Promise<void>;
}

/** Throws a {@link RollcallError} `invalid_options` that names the option. */
export function clientOf(given: FrameworkOptions['rollcall']): OwnedClient {
  if (given instanceof Rollcall) return { rollcall: given, close: async () => {} };
  if (typeof given === 'object' && given !== null && !('register' in given)) {
    const rollcall = new Rollcall(given);
    return { rollcall, close: () => rollcall.close() };
  }
  throw new RollcallError(
    'invalid_options',
    'option rollcall: expected a client of the same copy of @rollcall/client-sdk, or the options of one',
    { field: 'rollcall' },
  );
}
