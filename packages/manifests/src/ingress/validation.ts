import {
  type FieldError,
  invalid,
  invalidEach,
  notSupported,
  required,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { isIpSloppily } from '../addresses/ip.ts';
import {
  checkLabel1035,
  checkPortName,
  checkPortNumber,
  checkSubdomain1123,
  checkWildcardSubdomain1123,
} from '../meta/names.ts';
import type { Backend, Ingress, IngressPath } from './ingress.ts';
import { validateReference } from './object-reference.ts';

/** Older manifests name their class here. */
export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const FORBIDDEN_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const FORBIDDEN_ENDS = ['/..', '/.'];

type IngressSpec = NonNullable<Ingress['spec']>;
type IngressRule = NonNullable<IngressSpec['rules']>[number];
type IngressTls = NonNullable<IngressSpec['tls']>[number];

/** Every fault of an ingress, in the words of the Kubernetes API server. */
export function validateIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const { rules, defaultBackend, tls = [], ingressClassName } = spec;
  const faults = validateMeta(metadata, checkSubdomain1123);
  if ((rules ?? []).length === 0 && defaultBackend === undefined)
    faults.push(
      invalid('spec', rules ?? null, 'either `defaultBackend` or `rules` must be specified'),
    );
  if (defaultBackend !== undefined)
    faults.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  faults.push(...(rules ?? []).flatMap((rule, i) => validateRule(rule, `spec.rules[${i}]`)));
  faults.push(...tls.flatMap((one, i) => validateTls(one, `spec.tls[${i}]`)));
  if (ingressClassName !== undefined) {
    const field = 'spec.ingressClassName';
    faults.push(...invalidEach(field, ingressClassName, checkSubdomain1123));
  }
  return faults;
}

/** What is checked only when an ingress is created. */
export function validateNewIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const said = metadata.annotations?.[CLASS_ANNOTATION];
  if (said === undefined || spec.ingressClassName === undefined) return [];
  if (said === spec.ingressClassName) return [];
  const detail = 'must match `ingressClassName` when both are specified';
  return [invalid(`annotations.${CLASS_ANNOTATION}`, said, detail)];
}

function validateRule({ host = '', http }: IngressRule, at: string): FieldError[] {
  const faults = host === '' ? [] : validateHost(host, `${at}.host`);
  if (host !== '' && isIpSloppily(host))
    faults.unshift(invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
  if (http === undefined) return faults;
  const { paths = [] } = http;
  if (paths.length === 0) faults.push(required(`${at}.http.paths`));
  return [...faults, ...paths.flatMap((path, i) => validatePath(path, `${at}.http.paths[${i}]`))];
}

function validateTls({ hosts = [], secretName = '' }: IngressTls, at: string): FieldError[] {
  const faults = hosts.flatMap((host, i) => validateHost(host, `${at}.hosts[${i}]`));
  if (secretName === '') return faults;
  return [...faults, ...invalidEach(`${at}.secretName`, secretName, checkSubdomain1123)];
}

function validateHost(host: string, field: string): FieldError[] {
  const isWildcard = host.includes('*');
  return invalidEach(field, host, isWildcard ? checkWildcardSubdomain1123 : checkSubdomain1123);
}

function validatePath(
  { path = '', pathType, backend = {} }: IngressPath,
  at: string,
): FieldError[] {
  if (pathType === undefined) return [required(`${at}.pathType`, 'pathType must be specified')];
  const faults: FieldError[] = [];
  const field = `${at}.path`;
  const isSpecific = pathType === 'ImplementationSpecific';
  if (!PATH_TYPES.includes(pathType))
    faults.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES));
  else if (!path.startsWith('/') && !(isSpecific && path === ''))
    faults.push(invalid(field, path, 'must be an absolute path'));
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const part of FORBIDDEN_PARTS)
      if (path.includes(part)) faults.push(invalid(field, path, `must not contain '${part}'`));
    for (const end of FORBIDDEN_ENDS)
      if (path.endsWith(end)) faults.push(invalid(field, path, `cannot end with '${end}'`));
  }
  return [...faults, ...validateBackend(backend, `${at}.backend`)];
}

function validateBackend({ service, resource }: Backend, at: string): FieldError[] {
  if (service !== undefined && resource !== undefined)
    return [invalid(at, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return validateReference(resource, `${at}.resource`);
  if (service === undefined) return [invalid(at, '', 'resource or service backend is required')];
  const { name = '', port: { name: portName = '', number = 0 } = {} } = service;
  const faults: FieldError[] = [];
  if (name === '') faults.push(required(`${at}.service.name`));
  else faults.push(...invalidEach(`${at}.service.name`, name, checkLabel1035));
  const field = `${at}.service.port`;
  if (portName !== '' && number !== 0)
    faults.push(invalid(at, '', 'cannot set both port name & port number'));
  else if (portName !== '') faults.push(...invalidEach(`${field}.name`, portName, checkPortName));
  else if (number !== 0) faults.push(...invalidEach(`${field}.number`, number, checkPortNumber));
  else faults.push(required(at, 'port name or number is required'));
  return faults;
}
