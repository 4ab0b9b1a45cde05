import { z } from 'zod';
import { type FieldError, invalid, required } from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { checkLabelValue, checkQualifiedName, checkSubdomain1123 } from '../meta/names.ts';
import { absent, ObjectMeta } from '../meta/object-meta.ts';

/**
 * `apiVersion: apps/v1, kind: Deployment`: a selector and a desired number. Its status is counted from live instances.
 * It starts nothing, so a pod template is stored, but only its labels and ports have an effect.
 */
export const Deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata: ObjectMeta,
  spec: absent(
    z.looseObject({
      replicas: absent(z.int()),
      selector: absent(
        z.strictObject({
          matchLabels: absent(z.record(z.string(), z.string())),
          matchExpressions: absent(z.array(z.looseObject({}))),
        }),
      ),
      template: absent(
        z.looseObject({
          metadata: absent(z.looseObject({ labels: absent(z.record(z.string(), z.string())) })),
          spec: absent(z.looseObject({})),
        }),
      ),
    }),
  ),
  status: absent(z.looseObject({})),
});
export type Deployment = z.output<typeof Deployment>;

/** A deployment without `replicas` wants one. */
export function defaultDeployment(deployment: Deployment): Deployment {
  const { spec = {} } = deployment;
  return { ...deployment, spec: { ...spec, replicas: spec.replicas ?? 1 } };
}

/** Every fault of a deployment, in the words of the Kubernetes API server. */
export function validateDeployment({ metadata, spec = {} }: Deployment): FieldError[] {
  const { replicas = 1, selector, template } = spec;
  const faults = validateMeta(metadata, checkSubdomain1123);
  if (replicas < 0) {
    faults.push(invalid('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  const labels = selector?.matchLabels ?? {};
  const field = 'spec.selector';
  if (Object.keys(labels).length === 0) {
    faults.push(
      selector === undefined
        ? required(field)
        : invalid(field, selector, 'empty selector is invalid for deployment'),
    );
  }
  if ((selector?.matchExpressions ?? []).length > 0) {
    const detail = 'only matchLabels are looked at here';
    faults.push(invalid(`${field}.matchExpressions`, selector?.matchExpressions, detail));
  }
  for (const [key, value] of Object.entries(labels)) {
    faults.push(
      ...checkQualifiedName(key).map((fault) => invalid(`${field}.matchLabels`, key, fault)),
    );
    faults.push(
      ...checkLabelValue(value).map((fault) => invalid(`${field}.matchLabels`, value, fault)),
    );
  }
  const own = template?.metadata?.labels ?? {};
  if (Object.entries(labels).some(([key, value]) => own[key] !== value)) {
    const detail = '`selector` does not match template `labels`';
    faults.push(invalid('spec.template.metadata.labels', own, detail));
  }
  return faults;
}
