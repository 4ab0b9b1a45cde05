import { TimelineKind } from '@rollcall/contract';
import type { LogEntry } from '../log-entry.ts';
import {
  type Claim,
  type InstanceBody,
  type InstanceRecord,
  type PoolName,
  refOfField,
  type ResourceRecord,
} from '../record.ts';

/** Reads `revision|lease|nonce|doubt|doubtUntilMs|registeredAtMs|body`; the body is the only part with `|`. */
export function decodeRecord(field: string, text: string): InstanceRecord {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < 6; i++) {
    const to = text.indexOf('|', from);
    parts.push(text.slice(from, to));
    from = to + 1;
  }
  const [revision, lease = '', nonce = '', doubt, doubtUntilMs, registeredAtMs] = parts;
  return {
    ...refOfField(field),
    revision: Number(revision),
    lease,
    nonce,
    doubt: doubt === '' ? undefined : (doubt as InstanceRecord['doubt']),
    doubtUntilMs: Number(doubtUntilMs),
    registeredAtMs: Number(registeredAtMs),
    body: JSON.parse(text.slice(from)) as InstanceBody,
  };
}

const POOL_LETTERS = { c: 'clusterIps', n: 'nodePorts' } as const;

/** Claims as the scripts know them: `c2136997889,n30080`. */
export function encodeClaims(claims: readonly Claim[]): string {
  return claims.map(({ pool, number }) => `${letterOf(pool)}${number}`).join(',');
}

export function letterOf(pool: PoolName): string {
  return pool === 'clusterIps' ? 'c' : 'n';
}

export function decodeClaims(text: string): Claim[] {
  return [...text.matchAll(/([cn])(\d+)/g)].map(([, letter, digits]) => ({
    pool: POOL_LETTERS[letter as 'c' | 'n'],
    number: Number(digits),
  }));
}

/** Reads `revision|untilMs|claims|value`. */
export function decodeResource(key: string, text: string): ResourceRecord {
  const first = text.indexOf('|');
  const second = text.indexOf('|', first + 1);
  const third = text.indexOf('|', second + 1);
  return {
    key,
    revision: Number(text.slice(0, first)),
    untilMs: Number(text.slice(first + 1, second)),
    claims: decodeClaims(text.slice(second + 1, third)),
    value: text.slice(third + 1),
  };
}

/** The mark of an entry of the log stream, be the rest of it readable or not. */
export function markOfEntry(flat: readonly string[]): string {
  return flat[flat.indexOf('mark') + 1] ?? '';
}

/** Reads an entry of the log stream as ioredis gives it: id and a flat list of names and values. */
export function decodeEntry(id: string, flat: readonly string[]): LogEntry {
  const fields = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) fields.set(flat[i] as string, flat[i + 1] as string);
  const text = (name: string) => fields.get(name) ?? '';
  const key = text('key');
  const base = {
    revision: Number(id.slice(0, id.indexOf('-'))),
    prev: Number(text('prev')),
    before: text('before'),
    mark: text('mark'),
    atMs: Number(text('at')),
    why: TimelineKind.parse(text('why')),
  };
  switch (text('op')) {
    case 'set':
      return { ...base, op: 'set', record: decodeRecord(key, text('value')) };
    case 'del':
      return { ...base, op: 'del', field: key };
    case 'lift':
      return { ...base, op: 'lift' };
    case 'put':
      return { ...base, op: 'put', resource: decodeResource(key, text('value')) };
    default:
      return { ...base, op: 'rm', key };
  }
}
