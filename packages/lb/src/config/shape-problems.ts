import { nearestWord } from '@rollcall/daemon';
import { z } from 'zod';
import { isMapping } from './mapping.ts';
import { type ConfigProblem, formatValue, valueAt } from './problem.ts';
import { ConfigSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** Converts the schema's issues to problems. */
export function shapeProblems(issues: readonly Issue[], data: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, data));
}

function problemsOf(issue: Issue, data: unknown): ConfigProblem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const meant = nearestWord(key, known);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      const expected = `expected one of ${known.join(', ')}${hint}`;
      const message = `unknown key, got ${JSON.stringify(key)}, ${expected}`;
      return { path: [...path, key], at: 'key', message };
    });
  }
  if (issue.code === 'invalid_key') {
    const key = path.at(-1);
    const [first] = issue.issues;
    const message = `bad name, got ${JSON.stringify(key)}, ${first?.message ?? 'expected a name'}`;
    return [{ path, at: 'key', message }];
  }
  const value = valueAt(data, path);
  const within = mappingIssues(issue, value);
  if (within !== undefined)
    return within.flatMap((one) => problemsOf({ ...one, path: [...path, ...one.path] }, data));
  const expected = issue.message;
  const message =
    value === undefined
      ? `missing, ${expected}`
      : `bad value, got ${formatValue(path, value)}, ${expected}`;
  return [{ path, at: 'value', message }];
}

/**
 * What is wrong with a mapping where something else is allowed as well. Undefined: it is none, or it is not clear which
 * one is meant.
 */
function mappingIssues(issue: Issue, value: unknown): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union' || !isMapping(value)) return undefined;
  const meant = issue.errors.filter((errors) =>
    errors.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  return meant.length === 1 ? meant[0] : undefined;
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = ConfigSchema;
  for (const part of path) schema = childOf(inner(schema), part);
  const object = inner(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function childOf(schema: unknown, part: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[String(part)];
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function inner(schema: unknown): unknown {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  if (!(current instanceof z.ZodUnion)) return current;
  const mappings = current.options.filter((option) => option instanceof z.ZodObject);
  return mappings.length === 1 ? mappings[0] : current;
}
