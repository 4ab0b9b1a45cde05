type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A label may have the name of an inherited property, such as `constructor`. */
const ownOf = (object: Record<string, Json>, key: string) =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** How the elements of lists are told apart, by the paths of the lists. Those of other lists are not. */
export type ListKeys = Readonly<Record<string, (element: Json) => string>>;

interface Versions {
  readonly last: Json;
  readonly live: Json;
  readonly next: Json;
}

/**
 * Applies a manifest to an object, as kubectl does: sets what the manifest has, removes what it had the last time but
 * no longer has, and keeps what other writers set. Lists whose elements cannot be told apart are replaced as a whole.
 */
export function applied(last: Json, live: Json, next: Json, keys: ListKeys = {}): Json {
  return new Application(keys).of({ last, live, next }, '');
}

class Application {
  readonly #keys: ListKeys;

  constructor(keys: ListKeys) {
    this.#keys = keys;
  }

  of(versions: Versions, path: string): Json {
    const { last, live, next } = versions;
    if (Array.isArray(next)) return this.#list(versions, path) ?? next;
    if (!isObject(next) || !isObject(live)) return next;
    const before = isObject(last) ? last : {};
    const pathOf = (key: string) => (path === '' ? key : `${path}.${key}`);
    const result: Record<string, Json> = {};
    for (const [key, value] of Object.entries(live)) {
      if (Object.hasOwn(next, key)) continue;
      if (!Object.hasOwn(before, key)) result[key] = value;
      else {
        const list = this.#list({ last: before[key], live: value, next: [] }, pathOf(key));
        if (list !== undefined && list.length > 0) result[key] = list;
      }
    }
    for (const [key, value] of Object.entries(next)) {
      const own = { last: ownOf(before, key), live: ownOf(live, key), next: value };
      result[key] = this.of(own, pathOf(key));
    }
    return result;
  }

  /** Undefined: it is replaced as a whole. */
  #list({ last, live, next }: Versions, path: string): Json[] | undefined {
    const keyOf = Object.hasOwn(this.#keys, path) ? this.#keys[path] : undefined;
    if (keyOf === undefined) return undefined;
    const [before, known, wanted] = [last, live, next].map(
      (list) => new Map(asList(list).map((one) => [keyOf(one), one])),
    ) as [Map<string, Json>, Map<string, Json>, Map<string, Json>];
    const others = [...known].filter(([key]) => !wanted.has(key) && !before.has(key));
    return [
      ...asList(next).map((one) => {
        const key = keyOf(one);
        return this.of({ last: before.get(key), live: known.get(key), next: one }, path);
      }),
      ...others.map(([, one]) => one),
    ];
  }
}

const asList = (value: Json): readonly Json[] => (Array.isArray(value) ? value : []);

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
