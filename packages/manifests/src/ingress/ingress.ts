import { z } from 'zod';
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import {
  checkLabel1035,
  checkPortName,
  checkPortNumber,
  checkSubdomain1123,
} from '../meta/names.ts';
import { absent, ObjectMeta } from '../meta/object-meta.ts';

const Backend = z.strictObject({
  service: absent(
    z.strictObject({
      name: absent(z.string()),
      port: absent(z.strictObject({ name: absent(z.string()), number: absent(z.int()) })),
    }),
  ),
  resource: absent(z.looseObject({})),
});
type Backend = z.output<typeof Backend>;

const Path = z.strictObject({
  path: absent(z.string()),
  pathType: absent(z.string()),
  backend: absent(Backend),
});

/** `apiVersion: networking.k8s.io/v1, kind: Ingress`: load balancers with the key `ingress` route by it. */
export const Ingress = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('Ingress'),
  metadata: ObjectMeta,
  spec: absent(
    z.strictObject({
      ingressClassName: absent(z.string()),
      defaultBackend: absent(Backend),
      tls: absent(
        z.array(
          z.strictObject({
            hosts: absent(z.array(z.string())),
            secretName: absent(z.string()),
          }),
        ),
      ),
      rules: absent(
        z.array(
          z.strictObject({
            host: absent(z.string()),
            http: absent(z.strictObject({ paths: absent(z.array(Path)) })),
          }),
        ),
      ),
    }),
  ),
  status: absent(z.looseObject({})),
});
export type Ingress = z.output<typeof Ingress>;

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

/** Every fault of an ingress, in the words of the Kubernetes API server. */
export function validateIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const { rules = [], defaultBackend } = spec;
  const faults = validateMeta(metadata, checkSubdomain1123);
  if (rules.length === 0 && defaultBackend === undefined) {
    faults.push(invalid('spec', null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend !== undefined) {
    faults.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  }
  for (const [i, { host = '', http }] of rules.entries()) {
    const at = `spec.rules[${i}]`;
    if (host !== '') {
      faults.push(
        ...checkSubdomain1123(host.replace(/^\*\./, '')).map((fault) =>
          invalid(`${at}.host`, host, fault),
        ),
      );
    }
    if (http === undefined) continue;
    const paths = http.paths ?? [];
    if (paths.length === 0) faults.push(required(`${at}.http.paths`));
    for (const [n, { path = '', pathType, backend = {} }] of paths.entries()) {
      const field = `${at}.http.paths[${n}]`;
      if (pathType === undefined) {
        faults.push(required(`${field}.pathType`, 'pathType must be specified'));
      } else if (!PATH_TYPES.includes(pathType)) {
        faults.push(notSupported(`${field}.pathType`, pathType, PATH_TYPES));
      } else if (pathType !== 'ImplementationSpecific' && !path.startsWith('/')) {
        faults.push(invalid(`${field}.path`, path, 'must be an absolute path'));
      }
      faults.push(...validateBackend(backend, `${field}.backend`));
    }
  }
  return faults;
}

function validateBackend({ service, resource }: Backend, at: string): FieldError[] {
  if (service !== undefined && resource !== undefined) {
    return [invalid(at, null, 'cannot set both resource and service backends')];
  }
  if (resource !== undefined)
    return [forbidden(`${at}.resource`, 'only services are backends here')];
  if (service === undefined) return [required(at, 'must specify a service backend')];
  const { name = '', port = {} } = service;
  const faults: FieldError[] = [];
  if (name === '') faults.push(required(`${at}.service.name`));
  else {
    faults.push(...checkLabel1035(name).map((fault) => invalid(`${at}.service.name`, name, fault)));
  }
  const field = `${at}.service.port`;
  if (port.name !== undefined && port.number !== undefined) {
    faults.push(invalid(field, port, 'cannot set both port name & port number'));
  } else if (port.name !== undefined) {
    faults.push(
      ...checkPortName(port.name).map((fault) => invalid(`${field}.name`, port.name, fault)),
    );
  } else if (port.number !== undefined) {
    faults.push(
      ...checkPortNumber(port.number).map((fault) =>
        invalid(`${field}.number`, port.number, fault),
      ),
    );
  } else faults.push(required(field, 'port name or number is required'));
  return faults;
}
