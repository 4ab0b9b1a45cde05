import { expect, test } from 'vitest';
import type { LogEntry } from '../store/log-entry.ts';
import { runsOf } from './runs.ts';

/** An entry that sets an instance (`i:ID`), or puts a resource (its key). */
function entryOf(text: string): LogEntry {
  const [id] = text.startsWith('i:') ? [text.slice(2)] : [];
  const record = { namespace: 'default', service: 'orders', id };
  const written = id === undefined ? { op: 'put', resource: { key: text } } : { op: 'set', record };
  return written as unknown as LogEntry;
}

test.each<[string, string[], number[]]>([
  ['nothing', [], []],
  ['different instances', ['i:a', 'i:b', 'i:c'], [3]],
  ['an instance again', ['i:a', 'i:b', 'i:a', 'i:b', 'i:c'], [2, 3]],
  ['an override of an instance', ['i:a', 'override/default/orders/a'], [1, 1]],
  ['an override of another one', ['i:a', 'override/default/orders/b'], [2]],
  ['services', ['service/default/x', 'service/default/y', 'service/default/x'], [2, 1]],
  ['a service and its endpoints', ['service/default/x', 'endpoints/default/x'], [1, 1]],
  ['an instance and a service', ['i:a', 'service/default/x', 'i:b'], [1, 1, 1]],
  ['slices', ['endpointslice/default/s', 'service/default/x', 'service/default/y'], [1, 2]],
  [
    'two reports of a service',
    ['report/default/x/lb-1', 'i:a', 'report/default/x/lb-2', 'report/default/y/lb-1'],
    [2, 2],
  ],
  ['what nobody watches', ['service/default/x', 'deployment/default/x', 'i:a'], [2, 1]],
])('%s', (_, texts, expected) => {
  const entries = texts.map(entryOf);
  const runs = [...runsOf(entries)];
  expect(runs.map((run) => run.length)).toEqual(expected);
  expect(runs.flat()).toEqual(entries);
});
