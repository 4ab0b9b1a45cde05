import fc from 'fast-check';

/** Values that the API server of Kubernetes takes for a field, and values that it refuses. */
export interface Values<T> {
  readonly good: readonly T[];
  readonly bad: readonly unknown[];
  /** Whether others are good that the registry may have given. @default none */
  readonly isGiven?: (value: unknown) => boolean;
}

/** How many good values are drawn for each bad one: most objects are to be valid as a whole. */
const GOOD_PER_BAD = 40;

/** Values of a field; most of them are good. */
export function drawn<T>({ good, bad }: Values<T>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: GOOD_PER_BAD, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...(bad.length === 0 ? good : bad)) },
  );
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Whether it is a good value. */
export function isGood<T>({ good, isGiven }: Values<T>, value: unknown): boolean {
  return good.some((one) => isSame(one, value)) || isGiven?.(value) === true;
}

/** Objects whose fields are drawn from these values; undefined ones are left out. */
export function objectsOf(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) {
  return fc.record(fields).map((given) => JSON.parse(JSON.stringify(given)) as Drawn);
}

/** An object as it is sent. */
export type Drawn = Readonly<Record<string, unknown>>;

/** Whether every field of the object is good; those without values may be anything. */
export function areGood(object: Drawn, fields: Readonly<Record<string, Values<unknown>>>): boolean {
  return Object.entries(fields).every(([name, values]) => isGood(values, object[name]));
}

/** A JSON merge patch: mappings are merged, null removes, everything else replaces. */
export function mergedInto(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isMapping = typeof target === 'object' && target !== null && !Array.isArray(target);
  const known = (isMapping ? target : {}) as Drawn;
  const all = { ...known, ...(patch as Drawn) };
  const entries = Object.entries(all).filter(([key, value]) => !(key in patch && value === null));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key in patch ? mergedInto(known[key], value) : value]),
  );
}

/** The elements of a list that may be missing. */
export function listOf(value: unknown): readonly Drawn[] {
  return (value ?? []) as readonly Drawn[];
}

/** Whether no two elements have the same text. */
export function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

export { isSame };
