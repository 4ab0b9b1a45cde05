import type { z } from 'zod';

interface AnyDef {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}

const defOf = (schema: z.core.$ZodType) => (schema as z.ZodType).def as unknown as AnyDef;

/** The schema inside `optional` and `pipe` wrappers. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType, out, type } = defOf(schema);
  if (type === 'pipe' && out !== undefined) return unwrapped(out);
  if (type === 'optional' && innerType !== undefined) return unwrapped(innerType);
  return schema;
}

function schemaAt(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
): z.core.$ZodType | undefined {
  let at = unwrapped(schema);
  for (const step of path) {
    const { shape = {}, element } = defOf(at);
    const own = Object.hasOwn(shape, String(step)) ? shape[String(step)] : undefined;
    const next = typeof step === 'number' ? element : own;
    if (next === undefined) return undefined;
    at = unwrapped(next);
  }
  return at;
}

/** The field names of a schema at a path; empty where it accepts any. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const at = schemaAt(schema, path);
  return Object.keys((at && defOf(at).shape) ?? {});
}

/** A field of an object, in the notation of `kubectl explain`. */
export interface Field {
  readonly name: string;
  /** `string`, `integer`, `[]Object`, `map[string]string` ... */
  readonly type: string;
}

/** The type of the field at a path, and the fields inside it; undefined when there is no such field. */
export function fieldAt(
  schema: z.core.$ZodType,
  path: readonly string[],
): { readonly type: string; readonly fields: readonly Field[] } | undefined {
  let at: z.core.$ZodType | undefined = unwrapped(schema);
  // A path does not mention that a field is a list.
  for (const step of path) at = at && schemaAt(inList(at), [step]);
  if (at === undefined) return undefined;
  const { shape = {} } = defOf(inList(at));
  const fields = Object.entries(shape).map(([name, own]) => ({ name, type: typeNameOf(own) }));
  return { type: typeNameOf(at), fields };
}

function inList(schema: z.core.$ZodType): z.core.$ZodType {
  const { element } = defOf(schema);
  return element === undefined ? schema : unwrapped(element);
}

function typeNameOf(schema: z.core.$ZodType): string {
  const own = unwrapped(schema);
  const { type, element } = defOf(own);
  if (type === 'array' && element !== undefined) return `[]${typeNameOf(element)}`;
  // Only a number or a name is a union.
  if (type === 'union') return 'IntOrString';
  if (type === 'record') return 'map[string]string';
  if (type === 'object') return 'Object';
  if (type === 'number') return 'integer';
  return type === 'literal' ? 'string' : type;
}
