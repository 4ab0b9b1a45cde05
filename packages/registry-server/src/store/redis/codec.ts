import {
  isInstanceKey,
  TimelineKind,
  parseInstanceKey,
  type InstanceKey,
} from '@rollcall/contract';
import type { LogEntry } from '../log-entry.ts';
import {
  type Claim,
  type InstanceBody,
  type InstanceRecord,
  type PoolName,
  type ResourceRecord,
} from '../record.ts';

/** The key under which an unreadable instance is reported. */
export const unreadableKeyOf = (key: string) => `instance/${key}`;

/**
 * The nonce as the scripts store it: with the number of the process's last write, if the process numbers its writes.
 */
export function encodeNonce({
  nonce,
  sequence,
}: Pick<InstanceRecord, 'nonce' | 'sequence'>): string {
  return sequence === 0 ? nonce : `${nonce}#${sequence}`;
}

/** Reads a whole number as the scripts write it. Throws on anything else. */
function count(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,16}$/.test(text))
    throw new TypeError(`${what}: expected digits`);
  return Number(text);
}

/**
 * Reads `revision|lease|nonce|doubt|doubtUntilMs|registeredAtMs|body`; only the body may contain `|`. Throws if the
 * text has another form. Does not check what is in the body.
 */
export function decodeRecord(key: string, text: string): InstanceRecord {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < 6; i++) {
    const to = text.indexOf('|', from);
    if (to === -1) throw new TypeError('expected seven parts');
    parts.push(text.slice(from, to));
    from = to + 1;
  }
  const [revision, lease = '', nonce = '', doubt, doubtUntilMs, registeredAtMs] = parts;
  const [bare = '', sequence] = nonce.split('#', 2);
  return {
    ...parseInstanceKey(checkedKey(key)),
    revision: count(revision, 'revision'),
    lease,
    nonce: bare,
    sequence: sequence === undefined ? 0 : count(sequence, 'sequence'),
    doubt: doubt === '' ? undefined : (doubt as InstanceRecord['doubt']),
    doubtUntilMs: count(doubtUntilMs, 'doubtUntilMs'),
    registeredAtMs: count(registeredAtMs, 'registeredAtMs'),
    body: JSON.parse(text.slice(from)) as InstanceBody,
  };
}

function checkedKey(key: string): InstanceKey {
  if (isInstanceKey(key)) return key;
  throw new TypeError('expected NAMESPACE/SERVICE/ID');
}

const POOL_LETTERS = { c: 'clusterIps', n: 'nodePorts' } as const;

/** Claims as the scripts store them: `c2136997889,n30080`. */
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

/** Reads `revision|untilMs|claims|value`. Throws if the text has another form. */
export function decodeResource(key: string, text: string): ResourceRecord {
  const first = text.indexOf('|');
  const second = text.indexOf('|', first + 1);
  const third = text.indexOf('|', second + 1);
  if (first === -1 || second === -1 || third === -1) throw new TypeError('expected four parts');
  return {
    key,
    revision: count(text.slice(0, first), 'revision'),
    untilMs: count(text.slice(first + 1, second), 'untilMs'),
    claims: decodeClaims(text.slice(second + 1, third)),
    value: text.slice(third + 1),
  };
}

/** The digest of an entry of the log stream, even if the rest of the entry is unreadable. */
export function digestOfEntry(flat: readonly string[]): string {
  return flat[flat.indexOf('digest') + 1] ?? '';
}

/**
 * Reads an entry of the log stream in the form of ioredis: the id, and a flat list of names and values. An entry never
 * stops the reader: unreadable content, or an operation of a newer version, becomes a `spoilt` entry.
 */
export function decodeEntry(id: string, flat: readonly string[]): LogEntry {
  const named = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) named.set(flat[i] as string, flat[i + 1] as string);
  const text = (name: string) => named.get(name) ?? '';
  const key = text('key');
  const base = {
    revision: Number(id.slice(0, id.indexOf('-'))),
    prev: Number(text('prev')),
    before: text('before'),
    digest: text('digest'),
    atMs: Number(text('at')),
    why: TimelineKind.catch('updated').parse(text('why')),
  };
  const op = text('op');
  try {
    switch (op) {
      case 'set':
        return { ...base, op, record: decodeRecord(key, text('value')) };
      case 'put':
        return { ...base, op, resource: decodeResource(key, text('value')) };
      case 'del':
        return { ...base, op, instanceKey: checkedKey(key) };
      case 'rm':
        return { ...base, op, key };
      case 'bump':
        return { ...base, op };
      default:
        return {
          ...base,
          op: 'spoilt',
          key,
          fault: 'expected an operation that this version knows',
        };
    }
  } catch (error) {
    const readable = op === 'set' ? unreadableKeyOf(key) : key;
    return { ...base, op: 'spoilt', key: readable, fault: faultOf(error) };
  }
}

/** What is wrong with a record, without its content. */
export function faultOf(error: unknown): string {
  return error instanceof SyntaxError ? 'expected JSON' : (error as Error).message;
}
