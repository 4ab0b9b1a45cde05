import type { ManifestObject } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import type { Context } from '../session/context.ts';
import { httpRoutes, ingresses } from './ingresses.ts';
import { AGE, NAME } from './manifest-resource.ts';
import type { Resource } from './resource.ts';
import { services } from './services.ts';
import { deployments } from './workloads.ts';

/** Namespaces are not created: those exist that contain something, and `default`. */
async function list(
  context: Context,
  _namespace: string,
  selector: string | undefined,
): Promise<ManifestObject[]> {
  const all = await Promise.all(
    [services, deployments, ingresses, httpRoutes].map((one) => one.list(context, '*', undefined)),
  );
  const oldest = new Map<string, string | undefined>([['default', undefined]]);
  for (const { metadata } of all.flat()) {
    const { namespace, creationTimestamp = '' } = metadata;
    const known = oldest.get(namespace);
    if (known === undefined || creationTimestamp < known) oldest.set(namespace, creationTimestamp);
  }
  return [...oldest]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, creationTimestamp]) => objectOf(name, creationTimestamp))
    .filter(({ metadata }) => {
      // The label that Kubernetes sets on each namespace; no other selector is supported.
      const own = `kubernetes.io/metadata.name=${metadata.name}`;
      return selector === undefined || selector === '' || selector === own;
    });
}

function objectOf(name: string, creationTimestamp: string | undefined): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      namespace: '',
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      labels: { 'kubernetes.io/metadata.name': name },
    },
    status: { phase: 'Active' },
  };
}

export const namespaces: Resource = {
  kind: 'Namespace',
  apiVersion: 'v1',
  names: ['namespaces', 'namespace', 'ns'],
  isNamespaced: false,
  isDerived: true,
  prefix: 'namespace',
  columns: [NAME, { title: 'STATUS', cell: () => 'Active' }, AGE],
  list,
  async get(context, namespace, name) {
    const found = (await list(context, namespace, undefined)).find(
      ({ metadata }) => metadata.name === name,
    );
    if (found !== undefined) return found;
    throw new RollcallError('object_not_found', `namespaces "${name}" not found`);
  },
};
