import type { ManifestObject } from '@rollcall/client-sdk';
import type { Deployment } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { joined, pairsText, partOf } from './resource.ts';

type DeploymentSpec = NonNullable<Deployment['spec']>;

interface DeploymentStatus {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
}

export const deploymentSpec = (object: ManifestObject) =>
  (partOf(object, 'spec') as DeploymentSpec | undefined) ?? {};
export const deploymentStatus = (object: ManifestObject) =>
  partOf(object, 'status') as DeploymentStatus | undefined as DeploymentStatus;
export const containersOf = (object: ManifestObject) =>
  (deploymentSpec(object).template?.spec?.['containers'] ?? []) as readonly Container[];

export const deployments = manifestResource({
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  names: ['deployments', 'deployment', 'deploy'],
  prefix: 'deployment.apps',
  columns: [
    NAME,
    {
      title: 'READY',
      cell: (object) =>
        `${deploymentStatus(object).readyReplicas}/${deploymentSpec(object).replicas ?? 1}`,
    },
    { title: 'UP-TO-DATE', cell: (object) => String(deploymentStatus(object).updatedReplicas) },
    { title: 'AVAILABLE', cell: (object) => String(deploymentStatus(object).availableReplicas) },
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
      cell: (object) => pairsText(deploymentSpec(object).selector?.matchLabels),
    },
  ],
});
