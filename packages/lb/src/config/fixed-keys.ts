import { isDeepStrictEqual } from 'node:util';
import { ChangeRefused } from './change-refused.ts';
import type { Config } from './schema.ts';

/** What a running balancer cannot change. */
const FIXED = ['io', 'loadBalancerServices'] as const satisfies readonly (keyof Config)[];

/** @throws ChangeRefused when the two differ in a key that only a start applies. */
export function refuseFixedKeys(before: Config, after: Config): void {
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
