import type { Ingress } from './ingress.ts';
import { CLASS_ANNOTATION } from './validation.ts';

/** What the Kubernetes API server says of a new Ingress. */
export function newIngressWarnings({ metadata, spec = {} }: Ingress): string[] {
  const isAnnotated = Object.hasOwn(metadata.annotations ?? {}, CLASS_ANNOTATION);
  if (!isAnnotated || spec.ingressClassName !== undefined) return [];
  return [
    `annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`,
  ];
}
