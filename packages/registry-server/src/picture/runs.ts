import { instanceKeyOf } from '@rollcall/contract';
import type { LogEntry } from '../store/log-entry.ts';
import { instanceOfOverride } from './instances/endpoints.ts';

/** What an entry is about, as far as endpoints are concerned. */
interface Subject {
  readonly kind: 'instance' | 'object';
  readonly key: string;
}

/** The key of an object whose service is not known from its name. */
const ANY = '*';

/**
 * Divides entries into runs, in order, in which nothing is changed twice. The difference that a run makes shows every
 * endpoint that it touched. Of an endpoint that changes and changes back, the difference shows nothing, and a client
 * that saw it in between, from another server, would keep what it saw.
 */
export function* runsOf(entries: readonly LogEntry[]): Generator<readonly LogEntry[]> {
  let from = 0;
  let kind: Subject['kind'] | undefined;
  const keys = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    const subject = subjectOf(entry);
    if (subject === undefined) continue;
    const isOther = kind !== undefined && kind !== subject.kind;
    const isAlone = keys.size > 0 && (subject.key === ANY || keys.has(ANY));
    if (isOther || isAlone || keys.has(subject.key)) {
      yield entries.slice(from, i);
      from = i;
      keys.clear();
    }
    kind = subject.kind;
    keys.add(subject.key);
  }
  if (from < entries.length) yield entries.slice(from);
}

/** Undefined = the entry changes no endpoint. */
function subjectOf(entry: LogEntry): Subject | undefined {
  switch (entry.op) {
    case 'set':
      return { kind: 'instance', key: instanceKeyOf(entry.record) };
    case 'del':
      return { kind: 'instance', key: entry.instanceKey };
    case 'put':
      return subjectOfKey(entry.resource.key);
    case 'bump':
      return undefined;
    default:
      return subjectOfKey(entry.key);
  }
}

function subjectOfKey(key: string): Subject | undefined {
  const [prefix = '', namespace = '', name = ''] = key.split('/');
  if (prefix === 'report') return undefined;
  if (prefix === 'override') return { kind: 'instance', key: instanceOfOverride(key) };
  if (prefix === 'instance') {
    return { kind: 'instance', key: key.slice('instance/'.length) };
  }
  // A slice names its service in a label.
  if (prefix === 'endpointslice') return { kind: 'object', key: ANY };
  return { kind: 'object', key: `${namespace}/${name}` };
}
