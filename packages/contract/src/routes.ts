import { z } from 'zod';
import {
  Instance,
  InstancePatch,
  Nonce,
  Registered,
  Registration,
  Revised,
  Revision,
  Sequence,
  WatchPosition,
} from './instance.ts';
import { InstanceId, LeaseId, NamespaceName, PortName, ServiceName } from './names.ts';
import { Override, OverrideRequest } from './override.ts';
import { RenewReply, RenewRequest } from './renewal.ts';
import { DECLARED_ROUTES } from './declared-routes.ts';
import { DURABLE_ROUTES } from './durable-routes.ts';
import { ReporterName } from './report.ts';
import type { Route } from './route.ts';
import { AnyNamespace, flag, Selector, ServiceParams } from './route-params.ts';
import { EndpointList, InstanceList, ServiceList, ServiceView } from './service.ts';
import { Timeline } from './timeline.ts';
import { TrafficReport, TrafficView } from './traffic.ts';
import { Acknowledgements, DrainSight, WatchExtension, WatchId } from './watch.ts';

const oneOrMany = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).max(1_000)]).transform((given) => [given].flat() as z.output<T>[]);

const InstanceParams = z.strictObject({ ns: NamespaceName, svc: ServiceName, id: InstanceId });
const OwnerQuery = z.strictObject({ lease: LeaseId.optional() });
/** A process that gave up a registration before the answer deregisters by its nonce. */
const LeaveQuery = OwnerQuery.extend({
  nonce: Nonce.optional(),
  sequence: z.coerce.number().pipe(Sequence).optional(),
});
const ListParams = z.strictObject({ ns: AnyNamespace });
const INSTANCE = '/v1/namespaces/:ns/services/:svc/instances/:id';

/** All calls of the native API. */
export const ROUTES = {
  register: {
    method: 'PUT',
    path: INSTANCE,
    summary: 'Register an instance, or register it again',
    scope: 'register',
    params: InstanceParams,
    query: z.strictObject({ takeover: flag.default(false) }),
    body: Registration,
    reply: { status: 200, body: Registered },
  },
  patchInstance: {
    method: 'PATCH',
    path: INSTANCE,
    summary: 'Change status, weight or labels of an instance',
    scope: 'register',
    params: InstanceParams,
    query: OwnerQuery,
    body: InstancePatch,
    reply: { status: 200, body: Revised },
  },
  deregister: {
    method: 'DELETE',
    path: INSTANCE,
    summary: 'Take an instance off the roll',
    scope: 'register',
    params: InstanceParams,
    query: LeaveQuery,
    reply: { status: 200, body: Revised },
  },
  readInstance: {
    method: 'GET',
    path: INSTANCE,
    summary: 'Read an instance',
    scope: 'read',
    params: InstanceParams,
    reply: { status: 200, body: Instance },
  },
  putOverride: {
    method: 'PUT',
    path: `${INSTANCE}/override`,
    summary: "Override an instance's status",
    scope: 'admin',
    params: InstanceParams,
    body: OverrideRequest,
    reply: { status: 200, body: Override },
  },
  deleteOverride: {
    method: 'DELETE',
    path: `${INSTANCE}/override`,
    summary: "Lift the override of an instance's status",
    scope: 'admin',
    params: InstanceParams,
    reply: { status: 200, body: Revised },
  },
  heartbeat: {
    method: 'PUT',
    path: '/v1/leases/:lease',
    summary: 'One heartbeat',
    scope: 'lease',
    params: z.strictObject({ lease: LeaseId }),
    reply: { status: 204, body: null },
  },
  renew: {
    method: 'POST',
    path: '/v1/leases/renew',
    summary: 'Many heartbeats',
    scope: 'lease',
    body: RenewRequest,
    reply: { status: 200, body: RenewReply },
  },
  hold: {
    method: 'GET',
    path: '/v1/leases/hold',
    summary:
      'Bind leases to this connection: when it closes without goodbye they are suspect at once',
    scope: 'lease',
    query: z.strictObject({ lease: oneOrMany(LeaseId) }),
    reply: { status: 200, body: 'stream' },
  },
  listServices: {
    method: 'GET',
    path: '/v1/namespaces/:ns/services',
    summary: 'List the services of a namespace',
    scope: 'read',
    params: ListParams,
    reply: { status: 200, body: ServiceList },
  },
  listInstances: {
    method: 'GET',
    path: '/v1/namespaces/:ns/instances',
    summary: 'List the instances of a namespace (`*` = of all)',
    scope: 'read',
    params: ListParams,
    query: z.strictObject({ selector: Selector.optional() }),
    reply: { status: 200, body: InstanceList },
  },
  readService: {
    method: 'GET',
    path: '/v1/namespaces/:ns/services/:svc',
    summary: 'Read a service and its roll',
    scope: 'read',
    params: ServiceParams,
    reply: { status: 200, body: ServiceView },
  },
  resolve: {
    method: 'GET',
    path: '/v1/namespaces/:ns/services/:svc/endpoints',
    summary: 'Resolve a service to its endpoints',
    scope: 'read',
    params: ServiceParams,
    query: z.strictObject({
      port: PortName.optional(),
      zone: z.string().optional(),
      /** Labels that an endpoint must have: `k=v,k2=v2`. */
      selector: z.string().max(1_024).optional(),
      ready: flag.optional(),
      /** Wait until the server has seen this revision. */
      since: Revision.optional(),
    }),
    reply: { status: 200, body: EndpointList },
  },
  watch: {
    method: 'GET',
    path: '/v1/watch',
    summary: 'Watch endpoint changes as server-sent events',
    scope: 'read',
    query: z.strictObject({
      /** `*` = every namespace; then no service may be named. */
      namespace: AnyNamespace.default('default'),
      /** Every service of the namespace when omitted. */
      service: oneOrMany(ServiceName).optional(),
      kind: z.enum(['endpoints']).default('endpoints'),
      /** Resume after this: the last `id` of a stream, or a revision. Same as the `Last-Event-ID` header. */
      since: WatchPosition.optional(),
      /** The `digest` of the bookmark whose revision is `since`; an `id` already includes it. */
      digest: z.string().max(64).optional(),
      /** The watcher acknowledges each event that shows an endpoint `draining`, once it has applied it. */
      acks: z
        .enum(['0', '1'], { error: "expected '1' or '0'" })
        .transform((text) => text === '1')
        .optional(),
    }),
    reply: { status: 200, body: 'stream' },
  },
  acknowledge: {
    method: 'POST',
    path: '/v1/watch/acks',
    summary: 'Say up to which revision watchers with `acks=1` have applied what this server sent',
    scope: 'read',
    body: Acknowledgements,
    reply: { status: 204, body: null },
  },
  drainSeen: {
    method: 'GET',
    path: `${INSTANCE}/seen`,
    summary: 'Wait until all watchers with `acks=1` have applied that an instance drains',
    scope: 'register',
    params: InstanceParams,
    query: z.strictObject({
      /** Wait until the server has seen this revision. */
      revision: Revision.optional(),
      /** How long to wait, in ms. */
      waitMs: z.coerce.number().pipe(z.int().min(0).max(30_000)).default(0),
    }),
    reply: { status: 200, body: DrainSight },
  },
  extendWatch: {
    method: 'POST',
    path: '/v1/watch/:stream',
    summary: 'Take further services up on a watch stream of this server',
    scope: 'read',
    params: z.strictObject({ stream: WatchId }),
    /** The namespace of the stream. */
    query: z.strictObject({ namespace: AnyNamespace.default('default') }),
    body: WatchExtension,
    reply: { status: 204, body: null },
  },
  ...DECLARED_ROUTES,
  ...DURABLE_ROUTES,
  events: {
    method: 'GET',
    path: '/v1/events',
    summary: 'Read the timeline: who registered, drained, expired, when and why',
    scope: 'read',
    query: z.strictObject({
      namespace: AnyNamespace.default('default'),
      service: ServiceName.optional(),
      instance: InstanceId.optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    reply: { status: 200, body: Timeline },
  },
  putTraffic: {
    method: 'PUT',
    path: '/v1/namespaces/:ns/traffic/:reporter',
    summary:
      'Report, as a caller, the calls to the endpoints of a namespace; nothing depends on it',
    // Callers have no other right, and nothing but `rollcall top` shows it.
    scope: 'read',
    params: z.strictObject({ ns: NamespaceName, reporter: ReporterName }),
    body: TrafficReport,
    reply: { status: 204, body: null },
  },
  readTraffic: {
    method: 'GET',
    path: '/v1/namespaces/:ns/traffic',
    summary: 'Read the calls to each endpoint, as callers reported them to this server',
    scope: 'read',
    params: ListParams,
    reply: { status: 200, body: TrafficView },
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
