import { z } from 'zod';
import { DeclaredService } from './declared.ts';
import { Endpoint } from './endpoint.ts';
import { Instance, Revision } from './instance.ts';
import { ServiceReport } from './report.ts';

/** A service in a list, with the numbers of all and of ready instances. */
export const ServiceSummary = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    instances: z.int(),
    ready: z.int(),
    /** The declaration from its manifest; null = it only exists because instances registered under it. */
    declared: DeclaredService.nullable(),
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
    /** ms since the store last confirmed the registry's picture. */
    storeAgeMs: z.int(),
    declared: DeclaredService.nullable(),
    endpoints: z.array(Endpoint),
  })
  .meta({ id: 'EndpointList' });
export type EndpointList = z.output<typeof EndpointList>;

/** Reply to listing the instances of one namespace or all. */
export const InstanceList = z
  .object({ revision: Revision, instances: z.array(Instance) })
  .meta({ id: 'InstanceList' });
export type InstanceList = z.output<typeof InstanceList>;

/** Why an instance is or is not an endpoint of a service. */
export const Explanation = z
  .object({
    namespace: z.string(),
    service: z.string(),
    declared: z.boolean(),
    /** The labels that the selector wants; empty when the service is not declared or has no selector. */
    selector: z.record(z.string(), z.string()),
    instances: z.array(
      z.object({
        service: z.string(),
        instance: z.string(),
        isEndpoint: z.boolean(),
        /** For people, one statement each. */
        reasons: z.array(z.string()),
      }),
    ),
    /** What is wrong with the service itself, for people. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.output<typeof Explanation>;

/** Reply to reading the reports of data planes about a service. */
export const ReportList = z
  .object({
    reports: z.array(ServiceReport.extend({ reporter: z.string(), untilMs: z.int() })),
  })
  .meta({ id: 'ReportList' });
export type ReportList = z.output<typeof ReportList>;
