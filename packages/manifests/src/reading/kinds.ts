import type { z } from 'zod';
import { defaultDeployment, Deployment, validateDeployment } from '../deployment/deployment.ts';
import {
  defaultEndpoints,
  defaultSlice,
  Endpoints,
  EndpointSlice,
} from '../endpoints/endpoints.ts';
import { validateEndpoints, validateEndpointSlice } from '../endpoints/validation.ts';
import { defaultHttpRoute, HTTPRoute } from '../gateway/http-route.ts';
import { validateHttpRoute } from '../gateway/http-route-validation.ts';
import type { FieldError } from '../meta/field-error.ts';
import {
  defaultIngressClass,
  IngressClass,
  validateIngressClass,
} from '../ingress/ingress-class.ts';
import { Ingress } from '../ingress/ingress.ts';
import { validateIngress } from '../ingress/validation.ts';
import { defaultSecret, Secret, validateSecret } from '../secret/secret.ts';
import { defaultService } from '../service/defaults.ts';
import { Service } from '../service/service.ts';
import { validateService } from '../service/validation.ts';
import { validateAddresses } from '../status/load-balancer-status.ts';
import { defaultServiceStatus, validateServiceStatus } from '../status/service-status.ts';

/** Every kind that can be declared. */
export type Manifest =
  | Service
  | Endpoints
  | EndpointSlice
  | Ingress
  | IngressClass
  | HTTPRoute
  | Deployment
  | Secret;
export type Kind = Manifest['kind'];

interface KindRules<T extends Manifest> {
  readonly apiVersion: string;
  /** As in `services "nginx" not found`. */
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** Whether its objects are in namespaces; those of other kinds have the namespace ''. */
  readonly isNamespaced: boolean;
  readonly schema: z.ZodType<T>;
  readonly defaults: (manifest: T) => T;
  /** Faults of a manifest that has its defaults. */
  readonly validate: (manifest: T) => FieldError[];
  /** Whether its objects count their changes in `metadata.generation`; named: a part of the metadata that counts too. */
  readonly countsChanges: boolean | 'labels' | 'annotations';
  /** How clients write the status of its objects; undefined: they do not. */
  readonly status?: StatusRules<T>;
}

interface StatusRules<T extends Manifest> {
  /** The manifest with the defaults of its status. */
  readonly defaults: (manifest: T) => T;
  /** Faults of the status of a manifest that has its defaults. */
  readonly validate: (manifest: T) => FieldError[];
}

const same = <T>(manifest: T): T => manifest;

const withStatusDefaults = (service: Service): Service => ({
  ...service,
  status: defaultServiceStatus(service.status ?? {}),
});

const validateIngressStatus = ({ status }: Ingress): FieldError[] =>
  validateAddresses('status.loadBalancer.ingress', status?.loadBalancer?.ingress ?? []);

/** The rules of each kind. */
export const KINDS: { readonly [K in Kind]: KindRules<Extract<Manifest, { kind: K }>> } = {
  Service: {
    apiVersion: 'v1',
    plural: 'services',
    shortNames: ['svc'],
    isNamespaced: true,
    schema: Service,
    defaults: defaultService,
    validate: validateService,
    countsChanges: false,
    status: { defaults: withStatusDefaults, validate: validateServiceStatus },
  },
  Endpoints: {
    apiVersion: 'v1',
    plural: 'endpoints',
    shortNames: ['ep'],
    isNamespaced: true,
    schema: Endpoints,
    defaults: defaultEndpoints,
    validate: validateEndpoints,
    countsChanges: false,
  },
  EndpointSlice: {
    apiVersion: 'discovery.k8s.io/v1',
    plural: 'endpointslices',
    shortNames: [],
    isNamespaced: true,
    schema: EndpointSlice,
    defaults: defaultSlice,
    validate: validateEndpointSlice,
    countsChanges: 'labels',
  },
  Ingress: {
    apiVersion: 'networking.k8s.io/v1',
    plural: 'ingresses',
    shortNames: ['ing'],
    isNamespaced: true,
    schema: Ingress,
    defaults: same,
    validate: validateIngress,
    countsChanges: true,
    status: { defaults: same, validate: validateIngressStatus },
  },
  IngressClass: {
    apiVersion: 'networking.k8s.io/v1',
    plural: 'ingressclasses',
    shortNames: [],
    isNamespaced: false,
    schema: IngressClass,
    defaults: defaultIngressClass,
    validate: validateIngressClass,
    countsChanges: true,
  },
  HTTPRoute: {
    apiVersion: 'gateway.networking.k8s.io/v1',
    plural: 'httproutes',
    shortNames: [],
    isNamespaced: true,
    schema: HTTPRoute,
    defaults: defaultHttpRoute,
    validate: validateHttpRoute,
    countsChanges: true,
    status: { defaults: same, validate: () => [] },
  },
  Deployment: {
    apiVersion: 'apps/v1',
    plural: 'deployments',
    shortNames: ['deploy'],
    isNamespaced: true,
    schema: Deployment,
    defaults: defaultDeployment,
    validate: validateDeployment,
    countsChanges: 'annotations',
  },
  Secret: {
    apiVersion: 'v1',
    plural: 'secrets',
    shortNames: [],
    isNamespaced: true,
    schema: Secret,
    defaults: defaultSecret,
    validate: validateSecret,
    countsChanges: false,
  },
};

/** The resource name in messages: `services`, `deployments.apps`. */
export function resourceOf(kind: Kind): string {
  const { apiVersion, plural } = KINDS[kind];
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? plural : `${plural}.${apiVersion.slice(0, slash)}`;
}

/** Fills in the defaults of a decoded manifest and lists all its faults. */
export function examine<T extends Manifest>(
  manifest: T,
): { readonly manifest: T; readonly faults: FieldError[] } {
  const rules = KINDS[manifest.kind] as unknown as KindRules<T>;
  const complete = rules.defaults(manifest);
  return { manifest: complete, faults: rules.validate(complete) };
}
