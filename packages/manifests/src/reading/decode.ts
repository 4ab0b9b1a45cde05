import type { z } from 'zod';
import { type Kind, KINDS, type Manifest } from './kinds.ts';
import { fieldOf, type ManifestFault } from './fault.ts';
import { nearestWord } from '@rollcall/contract';
import { remedyOf } from './remedies.ts';
import { keysAt } from './schema-keys.ts';
import type { Locate } from './service-doctor.ts';

/** Maximum number of reported faults of one kind per manifest: with more, the text is probably no manifest. */
const MAX_FAULTS = 50;

const NO_LOCATION: Locate = () => ({ line: 0, column: 0 });

/** Decodes a value as a manifest of a kind; undefined, with faults, when it is not one. Fills in no defaults. */
export function decodeManifest(
  kind: Kind,
  value: unknown,
  locate: Locate = NO_LOCATION,
): { readonly manifest: Manifest | undefined; readonly faults: readonly ManifestFault[] } {
  const { schema } = KINDS[kind];
  const result = schema.safeParse(value);
  if (result.success) return { manifest: result.data, faults: [] };
  const faults = result.error.issues
    .slice(0, MAX_FAULTS)
    .flatMap((issue) => decodeFaults(issue, schema, locate, value));
  return { manifest: undefined, faults };
}

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step],
    root,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'an integer',
  number: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function decodeFaults(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  locate: Locate,
  root: unknown,
): ManifestFault[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.slice(0, MAX_FAULTS).map((key) => {
      const own = [...path, key];
      const meant = nearestWord(key, known);
      const field = fieldOf(own);
      const message = `strict decoding error: unknown field "${field}"`;
      const fix =
        meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
      return { ...locate(own), field, message, fix };
    });
  }
  const value = valueAt(root, path);
  const expected =
    issue.code === 'invalid_type'
      ? (TYPES[issue.expected] ?? issue.expected)
      : issue.code === 'invalid_union'
        ? 'an integer or a string'
        : issue.code === 'invalid_value'
          ? issue.values.map((one) => JSON.stringify(one)).join(' or ')
          : issue.message;
  const field = fieldOf(path);
  const isHidden = kindOf(root) === 'Secret' && /^(string)?data$/i.test(String(path[0]));
  const shown = isHidden ? '' : `${JSON.stringify(value)}: `;
  const message =
    value === undefined ? 'Required value' : `Invalid value: ${shown}expected ${expected}`;
  const fix = isHidden ? '' : remedyOf({ field, message, value });
  return [{ ...locate(path), field, message, fix }];
}

/** What a document says it is. */
function kindOf(root: unknown): unknown {
  return (root as { readonly kind?: unknown } | null | undefined)?.kind;
}
