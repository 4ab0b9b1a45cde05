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

/** The field names of a schema at a path; empty where it accepts any. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let at = unwrapped(schema);
  for (const step of path) {
    const { shape, element } = defOf(at);
    const next = typeof step === 'number' ? element : shape?.[String(step)];
    if (next === undefined) return [];
    at = unwrapped(next);
  }
  return Object.keys(defOf(at).shape ?? {});
}
