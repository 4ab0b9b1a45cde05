import { z } from 'zod';
import { Revised } from './instance.ts';
import {
  ApplyReply,
  Deleted,
  FieldManager,
  ManifestList,
  ManifestObject,
  ManifestText,
  MergePatch,
  PropagationPolicy,
} from './manifest.ts';
import { NamespaceName } from './names.ts';
import { ReporterName, ServiceReport } from './report.ts';
import type { Route } from './route.ts';
import { AnyNamespace, flag, Selector, ServiceParams } from './route-params.ts';
import { SecretContent } from './secret.ts';
import { Explanation, ReportList } from './service.ts';

const ObjectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, {
  error: "expected a name: 1 to 253 lower-case letters, digits, '-' or '.'",
});
/** Any name of a kind: `Service`, `services`, `svc`. */
const KindName = z.string().max(63);
const ObjectParams = z.strictObject({ ns: NamespaceName, kind: KindName, name: ObjectName });
const Revisable = z.strictObject({
  dryRun: flag.default(false),
  fieldManager: FieldManager.default(''),
});
const Removal = z.strictObject({
  dryRun: flag.default(false),
  /** The default is what the finalizers of the object say, else `Background`. */
  propagationPolicy: PropagationPolicy.optional(),
  /** Delete only the object with this uid. */
  uid: z.string().optional(),
  /** Delete only this version. */
  resourceVersion: z.string().optional(),
});
const REPORTS = '/v1/namespaces/:ns/services/:svc/reports';
const IngressReportParams = z.strictObject({
  ns: NamespaceName,
  ingress: ObjectName,
  reporter: ReporterName,
});
const INGRESS_REPORT = '/v1/namespaces/:ns/ingresses/:ingress/reports/:reporter';
const MANIFESTS = '/v1/namespaces/:ns/manifests/:kind';

/** What the calls have in common that write an object, or its status, as a whole. */
const PUTS_OBJECT = {
  scope: 'admin',
  params: ObjectParams,
  query: Revisable,
  body: ManifestText,
  bodyType: 'manifest',
  reply: { status: 200, body: ManifestObject },
} as const;

/** The same of calls that change fields of it. */
const PATCHES_OBJECT = { ...PUTS_OBJECT, body: MergePatch, bodyType: 'merge-patch' } as const;

/** The calls that declare objects, read them, and report about them. */
export const DECLARED_ROUTES = {
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
      /** For documents that do not name one. */
      namespace: NamespaceName.default('default'),
      /** `create` refuses existing objects, `replace` missing ones; `apply` merges as kubectl does. */
      mode: z.enum(['apply', 'create', 'replace']).default('apply'),
      /** Check and show, but write nothing. */
      dryRun: flag.default(false),
      /** Write the valid documents even if others are invalid. */
      partial: flag.default(false),
      fieldManager: FieldManager.default(''),
    }),
    body: ManifestText,
    bodyType: 'manifest',
    reply: { status: 200, body: ApplyReply },
  },
  putManifest: {
    method: 'PUT',
    path: `${MANIFESTS}/:name`,
    summary: 'Declare one object, or replace it',
    ...PUTS_OBJECT,
  },
  patchManifest: {
    method: 'PATCH',
    path: `${MANIFESTS}/:name`,
    summary: 'Change fields of a declared object (JSON merge patch, RFC 7396)',
    ...PATCHES_OBJECT,
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
    query: Removal,
    reply: { status: 200, body: Deleted },
  },
  readStatus: {
    method: 'GET',
    path: `${MANIFESTS}/:name/status`,
    summary: 'Read an object that has a status, with it',
    scope: 'read',
    params: ObjectParams,
    reply: { status: 200, body: ManifestObject },
  },
  putStatus: {
    method: 'PUT',
    path: `${MANIFESTS}/:name/status`,
    summary: 'Replace the status of a declared object, and nothing else of it',
    ...PUTS_OBJECT,
  },
  patchStatus: {
    method: 'PATCH',
    path: `${MANIFESTS}/:name/status`,
    summary: 'Change fields of the status of a declared object (JSON merge patch, RFC 7396)',
    ...PATCHES_OBJECT,
  },
  readSecret: {
    method: 'GET',
    path: '/v1/namespaces/:ns/secrets/:secret',
    summary: 'Read what a Secret holds',
    scope: 'secrets',
    params: z.strictObject({ ns: NamespaceName, secret: ObjectName }),
    reply: { status: 200, body: SecretContent },
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
  putIngressReport: {
    method: 'PUT',
    path: INGRESS_REPORT,
    summary: 'Report, as a load balancer, addresses that an Ingress is reached at',
    scope: 'report',
    params: IngressReportParams,
    body: ServiceReport,
    reply: { status: 200, body: Revised },
  },
  deleteIngressReport: {
    method: 'DELETE',
    path: INGRESS_REPORT,
    summary: 'Take back what a load balancer reported of an Ingress',
    scope: 'report',
    params: IngressReportParams,
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
} as const satisfies Record<string, Route>;
