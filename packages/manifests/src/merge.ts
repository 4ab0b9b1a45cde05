type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Labels may be named after what every object inherits, such as `constructor`. */
const ownOf = (object: Record<string, Json>, key: string) =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * What applying a manifest makes of an object: what the manifest says; what it said the last time and no longer says
 * goes; what others set beside it stays. Lists are taken whole.
 */
export function applied(last: Json, live: Json, next: Json): Json {
  if (!isObject(next) || !isObject(live)) return next;
  const before = isObject(last) ? last : {};
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(live)) {
    if (!Object.hasOwn(next, key) && !Object.hasOwn(before, key)) result[key] = value;
  }
  for (const [key, value] of Object.entries(next)) {
    result[key] = applied(ownOf(before, key), ownOf(live, key), value);
  }
  return result;
}

/** A JSON merge patch carried out (RFC 7396): null removes, objects are merged, everything else replaces. */
export function patched(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = patched(ownOf(result, key), value);
  }
  return result;
}
