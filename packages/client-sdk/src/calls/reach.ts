import type { CallOptions } from '../api/options.ts';
import type { Service, ServiceOptions } from '../api/service.ts';
import { inside } from '../base/inside.ts';
import type { Runtime } from '../base/runtime.ts';
import type { EndpointConnections } from './endpoint-connections.ts';
import type { ServiceDispatcher } from './service-dispatcher.ts';

/** A handle of a service, with what stands behind it. */
export interface OpenedService extends Service {
  readonly live: { readonly connections: EndpointConnections };
}

/** What the ways of calling that have an entry point of their own use of a client. */
export interface Reach {
  readonly hostSuffix: string;
  readonly namespace: string;
  readonly calls: CallOptions;
  readonly runtime: Runtime;
  /** The service that an origin names; undefined for any other host. Throws for a host that is neither. */
  dispatcherAt(origin: string): ServiceDispatcher | undefined;
  /** `usualPort`: name of the port to call when the options name none. */
  open(name: string, options: ServiceOptions, usualPort: string): OpenedService;
}

/** Of a client. */
export const [setReach, reachOf] = inside<Reach>('rollcall', 'a Rollcall');
