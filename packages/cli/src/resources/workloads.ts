import type { ManifestObject } from '@rollcall/client-sdk';
import type { Deployment, Ingress } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { joined, NONE, pairsText, partOf } from './resource.ts';
import { ingressOf } from './services.ts';

type DeploymentSpec = NonNullable<Deployment['spec']>;

interface DeploymentStatus {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
}

interface Container {
  readonly name?: string;
  readonly image?: string;
}

const specOf = (object: ManifestObject) =>
  (partOf(object, 'spec') as DeploymentSpec | undefined) ?? {};
const statusOf = (object: ManifestObject) =>
  partOf(object, 'status') as DeploymentStatus | undefined as DeploymentStatus;
const containersOf = (object: ManifestObject) =>
  (specOf(object).template?.spec?.['containers'] ?? []) as readonly Container[];

export const deployments = manifestResource({
  names: ['deployments', 'deployment', 'deploy', 'deployments.apps', 'deployment.apps'],
  prefix: 'deployment.apps',
  columns: [
    NAME,
    {
      title: 'READY',
      cell: (object) => `${statusOf(object).readyReplicas}/${specOf(object).replicas ?? 1}`,
    },
    { title: 'UP-TO-DATE', cell: (object) => String(statusOf(object).updatedReplicas) },
    { title: 'AVAILABLE', cell: (object) => String(statusOf(object).availableReplicas) },
    AGE,
    {
      title: 'CONTAINERS',
      isWide: true,
      cell: (object) => joined(containersOf(object).map(({ name = '' }) => name)),
    },
    {
      title: 'IMAGES',
      isWide: true,
      cell: (object) => joined(containersOf(object).map(({ image = '' }) => image)),
    },
    {
      title: 'SELECTOR',
      isWide: true,
      cell: (object) => pairsText(specOf(object).selector?.matchLabels),
    },
  ],
});

const ingressSpec = (object: ManifestObject) =>
  (partOf(object, 'spec') as NonNullable<Ingress['spec']> | undefined) ?? {};

export const ingresses = manifestResource({
  names: ['ingresses', 'ingress', 'ing'],
  prefix: 'ingress.networking.k8s.io',
  columns: [
    NAME,
    { title: 'CLASS', cell: (object) => ingressSpec(object).ingressClassName ?? NONE },
    {
      title: 'HOSTS',
      cell: (object) => {
        const hosts = (ingressSpec(object).rules ?? []).flatMap(({ host }) => host || []);
        return hosts.length === 0 ? '*' : hosts.join(',');
      },
    },
    { title: 'ADDRESS', cell: (object) => ingressOf(object).join(',') },
    {
      title: 'PORTS',
      cell: (object) => ((ingressSpec(object).tls ?? []).length > 0 ? '80, 443' : '80'),
    },
    AGE,
  ],
});
