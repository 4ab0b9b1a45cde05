import type { Dispatcher } from 'undici';
import { reachOf } from '../calls/reach.ts';
import { HostDispatcher } from './host-dispatcher.ts';
import { createInterceptor as interceptorAt } from './interceptor.ts';

/** A `Rollcall`. */
export interface Dispatching {
  interceptor(): Dispatcher.DispatcherComposeInterceptor;
}

/**
 * A dispatcher for undici's `request`, `fetch`, `stream` and `WebSocket`, of undici 6, 7 and 8, and for the `fetch` of
 * Node.js: `http://<service>.rollcall` and `http://<service>.<namespace>.rollcall` lead to an instance of the service.
 * `otherwise` takes the requests to all other hosts, and stays its owner's to close; without it they fail with
 * `invalid_host`. The connections are the client's, and are closed with it.
 *
 * Throws a {@link RollcallError} `invalid_options` for anything but a client.
 */
export function createDispatcher(rollcall: Dispatching, otherwise?: Dispatcher): Dispatcher {
  const reach = reachOf(rollcall);
  return new HostDispatcher((origin) => reach.dispatcherAt(origin), otherwise);
}

/** The same for a dispatcher that there is: `agent.compose(createInterceptor(rollcall))`. */
export function createInterceptor(rollcall: Dispatching): Dispatcher.DispatcherComposeInterceptor {
  const reach = reachOf(rollcall);
  return interceptorAt((origin) => reach.dispatcherAt(origin));
}
