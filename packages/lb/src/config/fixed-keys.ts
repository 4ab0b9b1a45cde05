import { isDeepStrictEqual } from 'node:util';
import { ChangeRefused } from './change-refused.ts';
import type { Config } from './schema.ts';

/** What a running balancer cannot change. */
const FIXED = ['io', 'loadBalancerServices'] as const satisfies readonly (keyof Config)[];

/** @throws ChangeRefused when the two differ in a key that only a start applies. */
export function refuseFixedKeys(before: Config, after: Config): void {
  refuseTlsChanges(before, after);
  // A program that carries requests itself cannot give its connections to workers.
  if ((before.workers === undefined) !== (after.workers === undefined)) {
    const why = 'workers cannot be introduced or abolished while the balancer runs: restart it';
    throw new ChangeRefused(`workers: ${why}`, ['workers']);
  }
  for (const key of FIXED) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    throw new ChangeRefused(`${key}: it cannot change while the balancer runs: restart it`, [key]);
  }
}

/** Files of certificates may be replaced at any time; which files there are, and for what, stays. */
function refuseTlsChanges(before: Config, after: Config): void {
  const why = 'TLS cannot be added, changed, moved or removed while the balancer runs: restart it';
  if (!isDeepStrictEqual(secureListeners(before), secureListeners(after)))
    throw new ChangeRefused(`listeners: ${why}`, ['listeners']);
  if (!isDeepStrictEqual(secureGroups(before), secureGroups(after)))
    throw new ChangeRefused(`targetGroups: ${why}`, ['targetGroups']);
}

const secureListeners = ({ listeners }: Config) =>
  listeners
    .filter(({ protocol }) => protocol === 'https')
    .map(({ name, host, port, tls }) => ({ name, host, port, tls }));

const secureGroups = ({ targetGroups }: Config) =>
  Object.entries(targetGroups)
    .filter(([, { scheme }]) => scheme === 'https')
    .map(([name, { service, namespace, tls }]) => ({ name, service, namespace, tls }));
