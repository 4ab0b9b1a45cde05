import { ConfigError as UsageError } from '@rollcall/daemon';

/** A fault at one place of the file. */
export interface ConfigProblem {
  readonly path: readonly PropertyKey[];
  /** What the position refers to: the value, or its key. */
  readonly at: 'value' | 'key';
  readonly message: string;
}

/** Where the key of a path is: `file:line:column`. */
export type PlaceOf = (path: readonly PropertyKey[]) => string;

/** All faults of a configuration; the message has one line for each, with file, line and column. */
export class ConfigError extends UsageError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** `listeners[0].port` */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text;
}

const SECRETS = new Set(['token']);
const MAX_VALUE_LENGTH = 60;

/** The value in the file, shortened; never a secret. */
export function formatValue(path: readonly PropertyKey[], value: unknown): string {
  if (SECRETS.has(String(path.at(-1)))) return '(not shown)';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}...` : text;
}

export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
