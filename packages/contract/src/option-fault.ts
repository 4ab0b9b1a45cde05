import { nearestWord } from './nearest-word.ts';
import type { z } from 'zod';

/** Options whose values must not appear in messages. */
const SECRET = new Set(['token', 'tokens', 'ca', 'connect', 'nonce']);

/** Longest part of a value that a message shows, in characters. */
const MAX_SHOWN = 80;

/**
 * `message`: names the option, its value and what was expected. `field`: path of the fault, e.g.
 * `calls.retryBudget.ratio`; for an unknown option the path of the object that contains it.
 */
export type ErrorOfOption = (message: string, field: string) => Error;

/** Parses options of any schema. Throws what `errorOf` makes of the first fault in them. */
export function parseOptions<S extends z.ZodType>(
  schema: S,
  given: unknown,
  errorOf: ErrorOfOption,
): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const { message, field } = optionFault(schema, given, result.error);
  throw errorOf(message, field);
}

/** Says that an option is unknown, and which one was probably meant. `path`: that of the object that contains it. */
export function unknownOption(
  name: string,
  known: readonly string[],
  path: readonly PropertyKey[] = [],
): string {
  return `option ${[...path, name].join('.')}: there is no such option${hintOf(name, known)}`;
}

function optionFault(schema: z.ZodType, given: unknown, error: z.ZodError) {
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const field = path.join('.');
  if (issue === undefined) return { message: 'option : is wrong', field };
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return { message: unknownOption(key, knownAt(schema, path), path), field };
  }
  const value = valueAt(given, path);
  const values = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const hint = typeof value === 'string' ? hintOf(value, values) : '';
  const got = path.some((part) => SECRET.has(String(part))) ? '' : `, got ${shown(value)}`;
  return { message: `option ${field}: ${expectationOf(issue.message)}${got}${hint}`, field };
}

/** `; did you mean x?`, when a known name is similar to the given one. */
export function hintOf(given: string, known: readonly string[]): string {
  const meant = nearestWord(given, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** The option names that the schema allows at the path. */
export function knownAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: z.core.$ZodType | undefined = unwrapped(schema);
  for (const part of path) at = unwrapped(shapeOf(at)?.[String(part)]);
  return Object.keys(shapeOf(at) ?? {});
}

type Def = Partial<Record<'innerType' | 'in', z.core.$ZodType>> & {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
};
const defOf = (schema: z.core.$ZodType | undefined) =>
  (schema as z.ZodType | undefined)?.def as Def | undefined;
const shapeOf = (schema: z.core.$ZodType | undefined) => defOf(schema)?.shape;

/** The schema inside defaults, optionals and transforms. */
function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  const { innerType, in: input } = defOf(schema) ?? {};
  const inner = innerType ?? input;
  return inner === undefined ? schema : unwrapped(inner);
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let at = given;
  for (const part of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[part];
  return at;
}

/** Drops the parts of `Invalid input: expected string, received number` that {@link shown} shows better. */
function expectationOf(message: string): string {
  return message.replace(/^Invalid (?:input|option): /, '').replace(/, received .*$/, '');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  const text = typeof value === 'bigint' ? `${value}n` : safeJson(value);
  const clean = text.replaceAll(/\/\/[^/"\s]*@/g, '//***@');
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'an object';
  }
}
