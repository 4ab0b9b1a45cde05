import { instanceKeyOf } from '@rollcall/contract';
import type { LogEntry } from '../store/log-entry.ts';
import { reportOfKey } from './declared/object-key.ts';
import { instanceOfOverride } from './instances/endpoints.ts';

/** What an entry is about, as far as watchers see it. */
interface Subject {
  readonly kind: 'instance' | 'object' | 'report';
  readonly key: string;
}

/** The key of an object whose service is not known from its name. */
const ANY = '*';

/**
 * Divides entries into runs, in order, in which nothing is changed twice. The difference that a run makes shows
 * everything that it touched. Of an endpoint that changes and changes back, the difference shows nothing, and a client
 * that saw it in between, from another server, would keep what it saw.
 */
export function* runsOf(entries: readonly LogEntry[]): Generator<readonly LogEntry[]> {
  let from = 0;
  const run = { instance: new Set<string>(), object: new Set<string>(), report: new Set<string>() };
  for (const [i, entry] of entries.entries()) {
    const subject = subjectOf(entry);
    if (subject === undefined) continue;
    const { kind, key } = subject;
    const same = run[kind];
    // An object decides which instances are endpoints. A report changes an address of its service, and nothing else.
    const isMixed =
      (kind === 'instance' && run.object.size > 0) || (kind === 'object' && run.instance.size > 0);
    const isAlone = same.has(ANY) || (key === ANY && same.size > 0);
    if (isMixed || isAlone || same.has(key)) {
      yield entries.slice(from, i);
      from = i;
      for (const keys of Object.values(run)) keys.clear();
    }
    run[kind].add(key);
  }
  if (from < entries.length) yield entries.slice(from);
}

/** Undefined = watchers see nothing of it. */
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
  switch (prefix) {
    case 'instance':
      return { kind: 'instance', key: key.slice('instance/'.length) };
    case 'override':
      return { kind: 'instance', key: instanceOfOverride(key) };
    case 'report':
      return reportOfKey(key)?.kind === 'Ingress'
        ? undefined
        : { kind: 'report', key: `${namespace}/${name}` };
    case 'service':
    case 'endpoints':
      return { kind: 'object', key: `${namespace}/${name}` };
    case 'endpointslice':
      // It names its service in a label.
      return { kind: 'object', key: ANY };
    default:
      return undefined;
  }
}
