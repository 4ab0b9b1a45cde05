import type { Deployment } from '@rollcall/manifests';
import type { InstanceRecord } from '../store/record.ts';
import type { Picture } from '../picture/picture.ts';
import type { Declared } from '../picture/declared/declarations.ts';
import { selects } from '../picture/declared/selected-endpoints.ts';

type DeclaredDeployment = Declared<Deployment>;

/** The status of each deployment, counted from the current instances. */
export function deploymentStatuses(
  picture: Picture,
  deployments: readonly DeclaredDeployment[],
): object[] {
  const matching = matchesOf(picture, deployments);
  return deployments.map((declared) => {
    const own = matching.get(declared) ?? [];
    const ready = own.filter((record) => picture.conditionsOf(record).ready).length;
    return statusOf(declared.manifest.spec?.replicas ?? 1, own.length, ready);
  });
}

/** One pass over the instances for any number of deployments: each is indexed by one pair of its selector. */
function matchesOf(
  picture: Picture,
  deployments: readonly DeclaredDeployment[],
): ReadonlyMap<DeclaredDeployment, readonly InstanceRecord[]> {
  const byPair = new Map<string, DeclaredDeployment[]>();
  for (const declared of deployments) {
    const [pair] = Object.entries(selectorOf(declared));
    if (pair === undefined) continue;
    const key = `${declared.namespace}/${pair[0]}=${pair[1]}`;
    const known = byPair.get(key);
    if (known === undefined) byPair.set(key, [declared]);
    else known.push(declared);
  }
  const matching = new Map<DeclaredDeployment, InstanceRecord[]>();
  if (byPair.size === 0) return matching;
  for (const instances of picture.roll?.services.values() ?? []) {
    for (const record of instances.values()) {
      const { labels } = record.body;
      for (const label in labels) {
        for (const one of byPair.get(`${record.namespace}/${label}=${labels[label]}`) ?? []) {
          if (!selects(selectorOf(one), labels)) continue;
          const known = matching.get(one);
          if (known === undefined) matching.set(one, [record]);
          else known.push(record);
        }
      }
    }
  }
  return matching;
}

function selectorOf({ manifest }: DeclaredDeployment): Readonly<Record<string, string>> {
  return manifest.spec?.selector?.matchLabels ?? {};
}

function statusOf(wanted: number, replicas: number, ready: number): object {
  const isMet = ready >= wanted;
  return {
    replicas,
    updatedReplicas: replicas,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, wanted - ready),
    conditions: [
      {
        type: 'Available',
        status: isMet ? 'True' : 'False',
        reason: isMet ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        message: `${ready} of ${wanted} desired instances are ready; the registry counts them and starts none`,
      },
    ],
  };
}
