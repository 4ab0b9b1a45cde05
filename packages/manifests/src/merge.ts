type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A label may have the name of an inherited property, such as `constructor`. */
const ownOf = (object: Record<string, Json>, key: string) =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * Applies a manifest to an object, as kubectl does: sets what the manifest has, removes what it had the last time but
 * no longer has, and keeps what other writers set. Lists are replaced as a whole.
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

/** Applies a JSON merge patch (RFC 7396): null removes, objects are merged, everything else replaces. */
export function patched(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = patched(ownOf(result, key), value);
  }
  return result;
}
