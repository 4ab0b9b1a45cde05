import { z } from 'zod';
import type { PutOutcome, PutRequest } from '../store.ts';
import { decodeClaims, letterOf } from './codec.ts';

/** The replies of the put script. */
export const PutReply = z.union([
  z.tuple([z.literal('put')], z.string()),
  z.tuple([z.literal('changed'), z.int()]),
  z.tuple([z.literal('taken'), z.int(), z.int(), z.string()]),
  z.tuple([z.literal('exhausted'), z.int(), z.int()]),
]);

/** The plan as JSON, and the value of each item. The script does not parse the values. */
export function argsOfPut({ items, pools, dryRun = false }: PutRequest) {
  const plan = {
    dryRun,
    pools: pools === undefined ? {} : { c: pools.clusterIps, n: pools.nodePorts },
    items: items.map(({ key, forMs, why, expected, claims = [] }) => ({
      key,
      forMs,
      why,
      ...(expected === undefined ? {} : { expected: String(expected) }),
      claims: claims.map(({ pool, number }) => ({
        pool: letterOf(pool),
        ...(number === undefined ? {} : { number: String(number) }),
      })),
    })),
  };
  return { plan: JSON.stringify(plan), values: items.map(({ value }) => value) };
}

export function outcomeOfPut(request: PutRequest, reply: z.output<typeof PutReply>): PutOutcome {
  switch (reply[0]) {
    case 'changed':
      return { kind: 'changed', index: reply[1] };
    case 'taken':
      return { kind: 'taken', index: reply[1], claim: reply[2], owner: reply[3] };
    case 'exhausted':
      return { kind: 'exhausted', index: reply[1], claim: reply[2] };
    default: {
      const [, ...written] = reply;
      const resources = request.items.map(({ key, value }, i) => ({
        key,
        value,
        revision: Number(written[i * 3]),
        untilMs: Number(written[i * 3 + 1]),
        claims: decodeClaims(written[i * 3 + 2] ?? ''),
      }));
      return { kind: 'put', resources };
    }
  }
}
