import { z } from 'zod';

/** Older manifests name their class here. */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

const Backend = z.object({
  service: z
    .object({
      name: z.string(),
      port: z.object({ name: z.string().optional(), number: z.int().optional() }),
    })
    .optional(),
});

const Path = z.object({
  path: z.string().default('/'),
  pathType: z.string(),
  backend: Backend,
});

const Rule = z.object({
  host: z.string().default(''),
  http: z.object({ paths: z.array(Path) }).optional(),
});

/**
 * What a balancer reads of an Ingress. The registry has validated it; fields that only newer versions know are left
 * out, so that they do not take the whole object away.
 */
const Ingress = z
  .object({
    metadata: z.object({
      name: z.string(),
      namespace: z.string(),
      uid: z.string().default(''),
      resourceVersion: z.string().default(''),
      creationTimestamp: z.string().default(''),
      annotations: z.record(z.string(), z.string()).default({}),
    }),
    spec: z.object({
      ingressClassName: z.string().optional(),
      defaultBackend: Backend.optional(),
      rules: z.array(Rule).default([]),
      tls: z
        .array(
          z.object({
            hosts: z.array(z.string()).default([]),
            secretName: z.string().default(''),
          }),
        )
        .default([]),
    }),
  })
  .transform(({ metadata: { annotations, ...metadata }, spec }) => ({
    ...metadata,
    ...spec,
    /** Undefined: it has none. */
    className: spec.ingressClassName ?? annotations[CLASS_ANNOTATION],
  }));

/** An Ingress that is declared in the registry. */
export type IngressObject = z.output<typeof Ingress>;
export type IngressBackend = z.output<typeof Backend>;
export type IngressPath = z.output<typeof Path>;

/** Undefined: it is not one that can be read. */
export function ingressOf(object: unknown): IngressObject | undefined {
  return Ingress.safeParse(object).data;
}

const IngressClass = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ controller: z.string() }),
});

/** The controllers of classes, by name. Those that cannot be read are left out. */
export function controllersOf(classes: readonly unknown[]): ReadonlyMap<string, string> {
  const controllers = new Map<string, string>();
  for (const one of classes) {
    const { data } = IngressClass.safeParse(one);
    if (data !== undefined) controllers.set(data.metadata.name, data.spec.controller);
  }
  return controllers;
}

/** `namespace/name` */
export function labelOfIngress({ namespace, name }: IngressObject): string {
  return `${namespace}/${name}`;
}
