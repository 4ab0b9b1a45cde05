import { z } from 'zod';
import { absent, ObjectMeta } from '../meta/object-meta.ts';
import { IngressAddress } from '../status/load-balancer-status.ts';
import { ObjectReference } from './object-reference.ts';

const Backend = z.strictObject({
  service: absent(
    z.strictObject({
      name: absent(z.string()),
      port: absent(z.strictObject({ name: absent(z.string()), number: absent(z.int()) })),
    }),
  ),
  resource: absent(ObjectReference),
});
export type Backend = z.output<typeof Backend>;

const Path = z.strictObject({
  path: absent(z.string()),
  pathType: absent(z.string()),
  backend: absent(Backend),
});
export type IngressPath = z.output<typeof Path>;

const IngressStatus = z.strictObject({
  loadBalancer: absent(z.strictObject({ ingress: absent(z.array(IngressAddress)) })),
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
  status: absent(IngressStatus),
});
export type Ingress = z.output<typeof Ingress>;
