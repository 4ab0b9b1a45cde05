import type * as undici from 'undici';
import requestOf from 'undici/lib/api/api-request.js';
import AgentPart from 'undici/lib/dispatcher/agent.js';
import DispatcherPart from 'undici/lib/dispatcher/dispatcher.js';
import PoolPart from 'undici/lib/dispatcher/pool.js';

// Importing undici by its name makes its agent the one that the fetch of Node.js uses, in the whole process.
// Its parts do not: the application's fetch stays what it was.

export const Agent: typeof undici.Agent = AgentPart;
export const Dispatcher: typeof undici.Dispatcher = DispatcherPart;
export const Pool: typeof undici.Pool = PoolPart;

/** What `dispatcher.request(options)` does; that method is there only once all of undici was imported. */
export function requestBy(
  dispatcher: undici.Dispatcher,
  options: undici.Dispatcher.RequestOptions,
): Promise<undici.Dispatcher.ResponseData> {
  return requestOf.call(dispatcher, options);
}
