import { z } from 'zod';
import { Endpoint } from './endpoint.ts';
import { Instance, Revision } from './instance.ts';

/** A service in a list: how many instances it has and how many of them are ready. */
export const ServiceSummary = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    instances: z.int(),
    ready: z.int(),
  })
  .meta({ id: 'ServiceSummary' });
export type ServiceSummary = z.output<typeof ServiceSummary>;

/** Reply to listing the services of a namespace. */
export const ServiceList = z
  .object({ revision: Revision, services: z.array(ServiceSummary) })
  .meta({ id: 'ServiceList' });
export type ServiceList = z.output<typeof ServiceList>;

/** Reply to reading one service. */
export const ServiceView = ServiceSummary.extend({ roll: z.array(Instance) }).meta({
  id: 'ServiceView',
});
export type ServiceView = z.output<typeof ServiceView>;

/** Reply to resolving a service. */
export const EndpointList = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    /** ms since the registry last proved its picture against the store. */
    storeAgeMs: z.int(),
    endpoints: z.array(Endpoint),
  })
  .meta({ id: 'EndpointList' });
export type EndpointList = z.output<typeof EndpointList>;
