export { Deployment } from './deployment/deployment.ts';
export {
  Endpoints,
  EndpointSlice,
  SERVICE_NAME_LABEL,
  withoutTopology,
} from './endpoints/endpoints.ts';
export { validateSliceUpdate } from './endpoints/validation.ts';
export { type FieldError, type FieldErrorReason, textOf } from './meta/field-error.ts';
export { HTTPRoute } from './gateway/http-route.ts';
export { Ingress } from './ingress/ingress.ts';
export {
  DEFAULT_CLASS_ANNOTATION,
  IngressClass,
  validateIngressClassUpdate,
} from './ingress/ingress-class.ts';
export { CLASS_ANNOTATION, validateNewIngress } from './ingress/validation.ts';
export { examine, type Kind, KINDS, type Manifest, resourceOf } from './reading/kinds.ts';
export { FOREGROUND, ORPHAN } from './meta/finalizers.ts';
export { generatedName } from './meta/generated-name.ts';
export { validateMetaUpdate } from './meta/meta-update.ts';
export { validateAnnotations } from './meta/meta-validation.ts';
export { appliedManifest } from './applied-manifest.ts';
export { patched } from './merge.ts';
export type { ObjectMeta, OwnerReference } from './meta/object-meta.ts';
export type { ManifestFault } from './reading/fault.ts';
export { decodeManifest } from './reading/decode.ts';
export { fieldAt } from './reading/schema-keys.ts';
export { fileOf, type PortableFile, portableOf } from './reading/portable.ts';
export { isTooDeep } from './reading/text-limits.ts';
export { type ReadFile, type ReadManifest, readManifests } from './reading/read.ts';
export { Secret, textIn, TLS_CERT, TLS_KEY, TLS_SECRET } from './secret/secret.ts';
export {
  DEFAULT_AFFINITY_SECONDS,
  NODE_PORTS,
  Service,
  ServicePort,
  ServiceSpec,
  takesClusterIp,
  takesHealthCheckPort,
  takesNodePorts,
} from './service/service.ts';
export { isHeadlessSpec, settleFamilies } from './service/families.ts';
export { sharedNodePortFaults } from './service/node-ports.ts';
export { carryOver, validateServiceUpdate } from './service/update.ts';
export { usualWarnings } from './warnings.ts';
