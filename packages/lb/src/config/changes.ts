import { isDeepStrictEqual } from 'node:util';
import type { Config } from './schema.ts';

type Named = ReadonlyMap<string, unknown>;

/** What differs between two configurations, in words for the log. Values are left out: there are secrets among them. */
export function describeChanges(before: Config, after: Config): readonly string[] {
  const changes = [
    ...namedChanges('listener', listenersOf(before), listenersOf(after)),
    ...namedChanges('target group', groupsOf(before), groupsOf(after)),
  ];
  const keys = Object.keys({ ...before, ...after }) as (keyof Config)[];
  for (const key of keys) {
    if (key === 'listeners' || key === 'targetGroups') continue;
    if (!isDeepStrictEqual(before[key], after[key])) changes.push(`${key} changed`);
  }
  return changes;
}

function namedChanges(what: string, before: Named, after: Named): string[] {
  const changes: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (!before.has(name)) changes.push(`${what} ${name} added`);
    else if (!after.has(name)) changes.push(`${what} ${name} removed`);
    else if (!isDeepStrictEqual(before.get(name), after.get(name)))
      changes.push(`${what} ${name} changed`);
  }
  return changes;
}

const listenersOf = ({ listeners }: Config): Named =>
  new Map(listeners.map((listener) => [listener.name, listener]));

const groupsOf = ({ targetGroups }: Config): Named => new Map(Object.entries(targetGroups));
