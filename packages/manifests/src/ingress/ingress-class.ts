import { z } from 'zod';
import {
  type FieldError,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { checkDomainPrefixedPath, checkLabel1123, checkSubdomain1123 } from '../meta/names.ts';
import { absent, ObjectMeta } from '../meta/object-meta.ts';
import { ObjectReference, validateReference } from './object-reference.ts';

/** A new Ingress without a class gets the class that has this annotation with the value `true`. */
export const DEFAULT_CLASS_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

const LONGEST_CONTROLLER = 250;
const SCOPES = ['Cluster', 'Namespace'];

const Parameters = z.strictObject({
  ...ObjectReference.shape,
  scope: absent(z.string()),
  namespace: absent(z.string()),
});
type Parameters = z.output<typeof Parameters>;

/** `apiVersion: networking.k8s.io/v1, kind: IngressClass`: says which controller routes by the Ingresses of a class. */
export const IngressClass = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('IngressClass'),
  metadata: ObjectMeta,
  spec: absent(z.strictObject({ controller: absent(z.string()), parameters: absent(Parameters) })),
});
export type IngressClass = z.output<typeof IngressClass>;

/** With the scope that the API server fills in. */
export function defaultIngressClass(given: IngressClass): IngressClass {
  const { parameters } = given.spec ?? {};
  if (parameters === undefined) return given;
  const spec = {
    ...given.spec,
    parameters: { ...parameters, scope: parameters.scope ?? 'Cluster' },
  };
  return { ...given, spec };
}

/** Every fault of an ingress class, in the words of the Kubernetes API server. */
export function validateIngressClass({ metadata, spec = {} }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec;
  const faults = validateMeta(metadata, checkSubdomain1123);
  const field = 'spec.controller';
  if (controller === '') faults.push(required(field));
  else {
    if (Buffer.byteLength(controller) > LONGEST_CONTROLLER)
      faults.push(tooLong(field, LONGEST_CONTROLLER));
    for (const { part, fault } of checkDomainPrefixedPath(controller))
      faults.push(invalid(field, part, fault));
  }
  return parameters === undefined ? faults : [...faults, ...validateParameters(parameters)];
}

/** What may not change. */
export function validateIngressClassUpdate(
  before: IngressClass,
  after: IngressClass,
): FieldError[] {
  const { controller } = after.spec ?? {};
  if (controller === before.spec?.controller) return [];
  return [invalid('spec.controller', controller ?? '', 'field is immutable')];
}

function validateParameters(parameters: Parameters): FieldError[] {
  const at = 'spec.parameters';
  const { scope, namespace } = parameters;
  const faults = validateReference(parameters, at);
  if (scope === undefined) return [...faults, required(`${at}.scope`)];
  const place = `${at}.namespace`;
  if (!SCOPES.includes(scope)) faults.push(notSupported(`${at}.scope`, scope, SCOPES));
  else if (scope === 'Namespace' && namespace === undefined)
    faults.push(required(place, "`parameters.scope` is set to 'Namespace'"));
  else if (scope === 'Namespace')
    faults.push(...invalidEach(place, namespace ?? '', checkLabel1123));
  else if (namespace !== undefined)
    faults.push(forbidden(place, "`parameters.scope` is set to 'Cluster'"));
  return faults;
}
