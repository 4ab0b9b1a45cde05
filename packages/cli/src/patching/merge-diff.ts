import { isDeepStrictEqual } from 'node:util';

type Json = unknown;

const isMapping = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON merge patch (RFC 7396) that makes one value of another. Lists are replaced as a whole. */
export function mergeDiff(before: Json, after: Json): Json {
  if (!isMapping(before) || !isMapping(after)) return after;
  const patch: Record<string, Json> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    if (!isDeepStrictEqual(known, value)) patch[key] = mergeDiff(known, value);
  }
  return patch;
}
