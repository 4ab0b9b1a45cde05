import { instanceKeyOf } from '@rollcall/contract';
import type { RestoreRequest } from '../store.ts';
import { encodeClaims, encodeNonce } from './codec.ts';

const GROUPS = 200;

/** The arguments of the restore script, at most 200 groups per call, so that no call blocks the store for long. */
export function* offersOf(request: RestoreRequest): Generator<string[]> {
  let args: string[] = [];
  for (const group of groupsOf(request)) {
    args.push(...group);
    if (args.length >= GROUPS * 4) {
      yield args;
      args = [];
    }
  }
  if (args.length > 0) yield args;
}

function* groupsOf({ instances, resources, tombstones }: RestoreRequest): Generator<string[]> {
  for (const record of instances) {
    const { lease, registeredAtMs, doubt = '', body } = record;
    const rest = `${lease}|${encodeNonce(record)}|${registeredAtMs}|${doubt}|${JSON.stringify(body)}`;
    yield ['i', instanceKeyOf(record), String(record.revision), rest];
  }
  for (const { key, revision, untilMs, claims, value } of resources) {
    yield ['r', key, String(revision), `${untilMs}|${encodeClaims(claims)}|${value}`];
  }
  for (const { member, revision, forMs } of tombstones) {
    yield ['d', member, String(revision), String(Math.ceil(forMs))];
  }
}
