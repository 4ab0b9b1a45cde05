import type * as undici from 'undici';
import requestOf from 'undici/lib/api/api-request.js';
import DispatcherPart from 'undici/lib/dispatcher/dispatcher.js';
import PoolPart from 'undici/lib/dispatcher/pool.js';

// Importing undici by its package name replaces the agent that Node.js's fetch uses in the whole process. Importing its
// parts does not, so the application's fetch stays unchanged.

export const Dispatcher: typeof undici.Dispatcher = DispatcherPart;
export const Pool: typeof undici.Pool = PoolPart;

/** Does what `dispatcher.request(options)` does; that method exists only after all of undici has been imported. */
export function requestBy(
  dispatcher: undici.Dispatcher,
  options: undici.Dispatcher.RequestOptions,
): Promise<undici.Dispatcher.ResponseData> {
  return requestOf.call(dispatcher, options);
}
