import { usageError } from '../base/cli-error.ts';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Lists that Kubernetes merges, and the field by which it finds the same element. Other lists are replaced. */
const KEYS: Readonly<Record<string, string>> = {
  'Service spec.ports': 'port',
  'Service status.conditions': 'type',
  'Deployment spec.template.spec.containers': 'name',
  'Deployment spec.template.spec.containers.ports': 'containerPort',
};
/** The same for lists that every kind has. */
const COMMON_KEYS: Readonly<Record<string, string>> = { 'metadata.ownerReferences': 'uid' };
/** Lists of texts: those of a patch are added. */
const SETS = new Set(['metadata.finalizers']);

const DIRECTIVES = ['delete', 'merge', 'replace'];
const WORDS = ['$patch', '$retainKeys', '$deleteFromPrimitiveList/', '$setElementOrder/'];

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A strategic merge patch of Kubernetes as a JSON merge patch (RFC 7396) of this object: `$patch: replace | delete |
 * merge` in mappings and lists, `$retainKeys`, and `$deleteFromPrimitiveList/NAME`. `$setElementOrder/NAME` is only about
 * order.
 */
export function mergePatchOf(object: JsonObject & { readonly kind: string }, patch: Json): Json {
  if (isObject(patch) && patch['$patch'] === 'delete')
    throw usageError('--patch: $patch: an object is not deleted by a patch: use delete');
  return new Strategy(object.kind).ofValue(object, patch, '');
}

class Strategy {
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  ofValue(before: Json, patch: Json, path: string): Json {
    if (Array.isArray(patch)) return this.#list(Array.isArray(before) ? before : [], patch, path);
    return isObject(patch) ? this.#object(before, patch, path) : patch;
  }

  #object(before: Json, patch: JsonObject, path: string): Json {
    const word = directiveOf(patch, path);
    if (word === 'delete') return null;
    const known = isObject(before) ? before : {};
    const result: Record<string, Json> = {};
    const retained = listOf(patch, '$retainKeys', path);
    for (const key of Object.keys(known)) {
      const goes = retained !== undefined && !retained.includes(key);
      if (word === 'replace' || goes) result[key] = null;
    }
    for (const [key, value] of Object.entries(patch)) {
      checkDirective(key, path);
      if (!key.startsWith('$')) {
        const last = word === 'replace' ? undefined : known[key];
        const next = this.ofValue(last, value, path === '' ? key : `${path}.${key}`);
        // `$patch: replace` replaces the old value, so keys that the new one lacks must be removed.
        result[key] = word === 'replace' ? replaced(known[key], next) : next;
      } else if (key.startsWith('$deleteFromPrimitiveList/')) {
        const name = key.slice(key.indexOf('/') + 1);
        const gone = listOf(patch, key, path) ?? [];
        const list = known[name];
        if (Array.isArray(list)) result[name] ??= list.filter((one) => !gone.includes(one));
      }
    }
    return result;
  }

  #list(before: readonly Json[], patch: readonly Json[], path: string): Json {
    const isReplaced = patch.some(
      (one) => isObject(one) && one['$patch'] === 'replace' && isBare(one),
    );
    const elements = patch.filter(
      (one) => !(isObject(one) && one['$patch'] === 'replace' && isBare(one)),
    );
    if (isReplaced) return elements;
    if (SETS.has(path)) return [...new Set([...before, ...elements])];
    const key = COMMON_KEYS[path] ?? KEYS[`${this.#kind} ${path}`];
    if (key === undefined) return elements;
    const idOf = (one: Json) => (isObject(one) ? one[key] : undefined);
    const known = new Map(before.map((one) => [idOf(one), one]));
    for (const element of elements) {
      if (!isObject(element)) throw usageError(`--patch: ${path}: expected mappings`);
      const word = directiveOf(element, path);
      const id = element[key];
      if (id === undefined) throw usageError(`--patch: ${path}: expected ${key} in each element`);
      if (word === 'delete') known.delete(id);
      else known.set(id, this.#merged(word === 'replace' ? {} : known.get(id), element, path));
    }
    return inOrder([...known], elements.map(idOf), before.map(idOf));
  }

  /** A whole element, since a merge patch replaces lists. */
  #merged(before: Json, element: JsonObject, path: string): Json {
    const whole: Record<string, Json> = isObject(before) ? { ...before } : {};
    for (const [key, value] of Object.entries(element)) {
      if (key.startsWith('$')) continue;
      if (value === null) delete whole[key];
      else if (isObject(value)) whole[key] = this.#merged(whole[key], value, `${path}.${key}`);
      else whole[key] = this.ofValue(whole[key], value, `${path}.${key}`);
    }
    return whole;
  }
}

/**
 * Elements of a merged list in the order of Kubernetes: those of the patch in its order, and each other one before the
 * first element of the patch that came after it before, so that new elements come first.
 */
function inOrder(
  merged: readonly (readonly [id: Json, element: Json])[],
  patched: readonly Json[],
  before: readonly Json[],
): Json[] {
  const elements = new Map(merged);
  const order = patched.filter((id) => elements.has(id));
  let at = 0;
  for (const id of before) {
    if (!elements.has(id) || patched.includes(id)) continue;
    const place = before.indexOf(id);
    while (at < order.length && before.indexOf(order[at]) < place) at++;
    order.splice(at, 0, id);
    at++;
  }
  return order.map((id) => elements.get(id));
}

/** The value instead of the old one, as a merge patch: what only the old one has is removed. */
function replaced(before: Json, next: Json): Json {
  if (!isObject(before) || !isObject(next)) return next;
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(next, key));
  const kept = Object.entries(next).map(([key, value]) => [key, replaced(before[key], value)]);
  return Object.fromEntries([...gone.map((key) => [key, null]), ...kept]) as Json;
}

/** Whether an element is only a directive, which is about its list. */
const isBare = (element: JsonObject) => Object.keys(element).join() === '$patch';

/** The list that a directive has as its value. */
function listOf(patch: JsonObject, key: string, path: string): readonly Json[] | undefined {
  const value = patch[key];
  if (value === undefined || Array.isArray(value)) return value;
  throw usageError(`--patch: ${placeOf(path, key)}: expected a list, got ${JSON.stringify(value)}`);
}

function checkDirective(key: string, path: string): void {
  if (!key.startsWith('$') || WORDS.some((word) => key.startsWith(word))) return;
  throw usageError(
    `--patch: ${placeOf(path, key)}: expected one of the directives ${WORDS.join(', ')}`,
  );
}

const placeOf = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);

function directiveOf(patch: JsonObject, path: string): string | undefined {
  const word = patch['$patch'];
  if (word === undefined) return undefined;
  if (typeof word === 'string' && DIRECTIVES.includes(word)) return word;
  throw usageError(
    `--patch: ${placeOf(path, '$patch')}: expected one of ${DIRECTIVES.join(', ')}, got ${JSON.stringify(word)}`,
  );
}
