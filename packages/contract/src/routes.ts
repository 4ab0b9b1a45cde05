import { z } from 'zod';
import {
  Instance,
  InstancePatch,
  Registered,
  Registration,
  Revised,
  Revision,
} from './instance.ts';
import { InstanceId, LeaseId, NamespaceName, PortName, ServiceName } from './names.ts';
import {
  ApplyReply,
  Deleted,
  ManifestList,
  ManifestObject,
  ManifestText,
  MergePatch,
} from './manifest.ts';
import { Override, OverrideRequest } from './override.ts';
import { RenewReply, RenewRequest } from './renewal.ts';
import { ReporterName, ServiceReport } from './report.ts';
import type { Route } from './route.ts';
import {
  EndpointList,
  Explanation,
  InstanceList,
  ReportList,
  ServiceList,
  ServiceView,
} from './service.ts';
import { Timeline } from './timeline.ts';

const flag = z
  .enum(['true', 'false'], { error: "expected 'true' or 'false'" })
  .transform((text) => text === 'true');
const oneOrMany = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).max(1_000)]).transform((given) => [given].flat() as z.output<T>[]);

const ServiceParams = z.strictObject({ ns: NamespaceName, svc: ServiceName });
const InstanceParams = z.strictObject({ ns: NamespaceName, svc: ServiceName, id: InstanceId });
const OwnerQuery = z.strictObject({ lease: LeaseId.optional() });
/** A namespace, or `*` for all. */
const AnyNamespace = z.union([z.literal('*'), NamespaceName]);
const ListParams = z.strictObject({ ns: AnyNamespace });
/** Labels that are wanted: `k=v`, `k!=v`, `k in (a,b)`, `k notin (a)`, `k`, `!k`, ANDed by commas. */
const Selector = z.string().max(4_096);
const ObjectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, {
  error: "expected a name: 1 to 253 lower-case letters, digits, '-' or '.'",
});
/** A kind in any of its names: `Service`, `services`, `svc`. */
const KindName = z.string().max(63);
const ObjectParams = z.strictObject({ ns: NamespaceName, kind: KindName, name: ObjectName });
const Revisable = z.strictObject({ dryRun: flag.default(false) });
const REPORTS = '/v1/namespaces/:ns/services/:svc/reports';
const MANIFESTS = '/v1/namespaces/:ns/manifests/:kind';
const INSTANCE = '/v1/namespaces/:ns/services/:svc/instances/:id';

/** The native API, call by call. */
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
    query: OwnerQuery,
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
      /** Every service of the namespace when left out. */
      service: oneOrMany(ServiceName).optional(),
      kind: z.enum(['endpoints']).default('endpoints'),
      /** Resume after this revision; the `Last-Event-ID` header says the same. */
      since: Revision.optional(),
    }),
    reply: { status: 200, body: 'stream' },
  },
  explain: {
    method: 'GET',
    path: '/v1/namespaces/:ns/services/:svc/explain',
    summary: 'Say why each instance is or is not an endpoint of a service',
    scope: 'read',
    params: ServiceParams,
    reply: { status: 200, body: Explanation },
  },
  apply: {
    method: 'POST',
    path: '/v1/apply',
    summary: 'Declare objects: all documents are checked before one is written',
    scope: 'admin',
    query: z.strictObject({
      /** For documents that name none. */
      namespace: NamespaceName.default('default'),
      /** `create` refuses what is there, `replace` what is not; `apply` merges as kubectl does. */
      mode: z.enum(['apply', 'create', 'replace']).default('apply'),
      /** Check and show, write nothing. */
      dryRun: flag.default(false),
      /** Write the good documents although others are bad. */
      partial: flag.default(false),
    }),
    body: ManifestText,
    bodyType: 'manifest',
    reply: { status: 200, body: ApplyReply },
  },
  putManifest: {
    method: 'PUT',
    path: `${MANIFESTS}/:name`,
    summary: 'Declare one object, or replace it',
    scope: 'admin',
    params: ObjectParams,
    query: Revisable,
    body: ManifestText,
    bodyType: 'manifest',
    reply: { status: 200, body: ManifestObject },
  },
  patchManifest: {
    method: 'PATCH',
    path: `${MANIFESTS}/:name`,
    summary: 'Change fields of a declared object (JSON merge patch, RFC 7396)',
    scope: 'admin',
    params: ObjectParams,
    query: Revisable,
    body: MergePatch,
    bodyType: 'merge-patch',
    reply: { status: 200, body: ManifestObject },
  },
  readManifest: {
    method: 'GET',
    path: `${MANIFESTS}/:name`,
    summary: 'Read a declared or derived object',
    scope: 'read',
    params: ObjectParams,
    reply: { status: 200, body: ManifestObject },
  },
  listManifests: {
    method: 'GET',
    path: MANIFESTS,
    summary: 'List the objects of a kind, declared and derived, of a namespace (`*` = of all)',
    scope: 'read',
    params: z.strictObject({ ns: AnyNamespace, kind: KindName }),
    query: z.strictObject({ selector: Selector.optional() }),
    reply: { status: 200, body: ManifestList },
  },
  deleteManifest: {
    method: 'DELETE',
    path: `${MANIFESTS}/:name`,
    summary: 'Delete a declared object; its addresses and node ports are free again',
    scope: 'admin',
    params: ObjectParams,
    query: Revisable,
    reply: { status: 200, body: Deleted },
  },
  putReport: {
    method: 'PUT',
    path: `${REPORTS}/:reporter`,
    summary: 'Report, as a data plane, conditions of a service and addresses that it is reached at',
    scope: 'report',
    params: ServiceParams.extend({ reporter: ReporterName }),
    body: ServiceReport,
    reply: { status: 200, body: Revised },
  },
  deleteReport: {
    method: 'DELETE',
    path: `${REPORTS}/:reporter`,
    summary: 'Take back what a data plane reported of a service',
    scope: 'report',
    params: ServiceParams.extend({ reporter: ReporterName }),
    reply: { status: 200, body: Revised },
  },
  listReports: {
    method: 'GET',
    path: REPORTS,
    summary: 'Read what data planes report of a service',
    scope: 'read',
    params: ServiceParams,
    reply: { status: 200, body: ReportList },
  },
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
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
