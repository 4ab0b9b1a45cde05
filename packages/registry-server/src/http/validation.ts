import { ProblemError } from '@rollcall/contract';
import type { z } from 'zod';

/** Fields whose values must not appear in an answer or a log. */
const SECRETS = new Set(['lease', 'leases', 'nonce']);

/** JSON types in words. */
const TYPES: Readonly<Record<string, string>> = {
  record: 'an object',
  object: 'an object',
  array: 'an array',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

const SHOWN = 80;

type Issue = z.core.$ZodIssue;

/** The first wrong field of a request: its path, what was expected, what was given. */
export function problemOf(issues: readonly Issue[], data: unknown): ProblemError {
  const { path, message } = deepest(issues[0] as Issue, []);
  const value = valueAt(data, path);
  const isSecret = SECRETS.has(path[0] ?? '');
  const shown = isSecret || value === undefined ? '' : `, got ${abridged(value)}`;
  return new ProblemError('invalid_request', `${message}${shown}`, { field: path.join('.') });
}

interface Found {
  readonly path: readonly string[];
  readonly message: string;
}

/** Follows unions and record keys down to the fault that a user can fix. */
function deepest(issue: Issue, above: readonly string[]): Found {
  const path = [...above, ...issue.path.map(String)];
  if (issue.code === 'invalid_union') {
    const branches = issue.errors.map((errors) => errors[0]).filter((error) => error !== undefined);
    // The branch of the right type is the most useful; one that wants another type says little.
    const branch = branches.find((error) => error.code !== 'invalid_type' || error.path.length > 0);
    if (branch !== undefined && !issue.message.startsWith('expected')) return deepest(branch, path);
    return { path, message: expectation(issue.message, branches) };
  }
  if (issue.code === 'invalid_key') {
    const { message } = issue.issues[0] as Issue;
    return { path, message };
  }
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return { path: [...path, key], message: 'expected no such field' };
  }
  return { path, message: wordsOf(issue) };
}

function wordsOf(issue: Issue): string {
  if (issue.message.startsWith('expected')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected one of ${issue.values.join(', ')}`;
    case 'too_big':
      return `expected at most ${issue.maximum} (${issue.origin})`;
    case 'too_small':
      return `expected at least ${issue.minimum} (${issue.origin})`;
    default:
      return `not valid: ${issue.message}`;
  }
}

function expectation(message: string, branches: readonly Issue[]): string {
  if (message.startsWith('expected')) return message;
  const types = branches.flatMap((error) =>
    error.code === 'invalid_type' ? [TYPES[error.expected] ?? error.expected] : [],
  );
  return `expected ${types.join(' or ')}`;
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function abridged(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
