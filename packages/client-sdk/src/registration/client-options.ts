import type { ResolvedOptions } from '../api/options.ts';
import { RollcallError } from '../base/error.ts';

const known = new WeakMap<object, ResolvedOptions>();

/** Called once by each client. */
export function setOptionsOf(client: object, options: ResolvedOptions): void {
  known.set(client, options);
}

/** Throws a {@link RollcallError} `invalid_options` for anything but a client of this copy of the package. */
export function optionsOf(client: unknown): ResolvedOptions {
  const options = typeof client === 'object' && client !== null ? known.get(client) : undefined;
  if (options !== undefined) return options;
  throw new RollcallError(
    'invalid_options',
    'option rollcall: expected a client of the same copy of @rollcall/client-sdk',
    { field: 'rollcall' },
  );
}
