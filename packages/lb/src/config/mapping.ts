import { valueAt } from './problem.ts';

/** A mapping in the raw data of the file. */
export type Mapping = Record<string, unknown>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The list at a path, with an empty mapping for what is none; empty where there is no list. */
export function listAt(data: unknown, path: readonly PropertyKey[]): Mapping[] {
  const list = valueAt(data, path);
  return Array.isArray(list) ? list.map((item: unknown) => (isMapping(item) ? item : {})) : [];
}

/** The mappings in the mapping at a path, by name. */
export function mappingsAt(data: unknown, path: readonly PropertyKey[]): [string, Mapping][] {
  const mapping = valueAt(data, path);
  if (!isMapping(mapping)) return [];
  return Object.entries(mapping).map(([name, item]) => [name, isMapping(item) ? item : {}]);
}
