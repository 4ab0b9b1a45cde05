import { isDeepStrictEqual } from 'node:util';
import { CliError, usageError } from '../base/cli-error.ts';

/** One step of a JSON patch (RFC 6902). */
export interface Step {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

type Container = Record<string, unknown> | unknown[];

const OPERATIONS = ['add', 'copy', 'move', 'remove', 'replace', 'test'];

/** Applies the steps to a copy. Throws a CliError at the first that cannot be taken. */
export function stepped<T extends object>(object: T, steps: readonly Step[]): T {
  if (!Array.isArray(steps)) throw usageError('--patch: expected a list of steps for --type=json');
  // The object is put into a mapping, so that the path of the whole object has a parent too.
  const whole = { '': structuredClone(object) as unknown };
  for (const step of steps as readonly unknown[]) {
    if (!isContainer(step) || Array.isArray(step))
      throw usageError(`--patch: expected mappings as steps, got ${JSON.stringify(step)}`);
    take(whole, step as unknown as Step);
  }
  return whole[''] as T;
}

function take(whole: Container, step: Step): void {
  const { op, path, from, value } = step;
  if (!OPERATIONS.includes(op))
    throw usageError(`--patch: expected one of the ops ${OPERATIONS.join(', ')}, got "${op}"`);
  const fail = failureOf(step);
  const target = keysOf(path, fail);
  switch (op) {
    case 'add':
      put(whole, target, structuredClone(value), fail);
      break;
    case 'remove':
      cut(whole, target, fail);
      break;
    case 'replace':
      cut(whole, target, fail);
      put(whole, target, structuredClone(value), fail);
      break;
    case 'test':
      if (!isDeepStrictEqual(read(whole, target, fail), value)) fail('it has another value');
      break;
    default: {
      const source = keysOf(from, fail);
      const isMove = op === 'move';
      const isInside = isMove && target.length > source.length && isPrefix(source, target);
      if (isInside) fail('a value cannot be moved into itself');
      put(
        whole,
        target,
        isMove ? cut(whole, source, fail) : structuredClone(read(whole, source, fail)),
        fail,
      );
    }
  }
}

type Fail = (why: string) => never;

function failureOf({ op, path, from }: Step): Fail {
  const place = from === undefined ? path : `${from} to ${path}`;
  return (why) => {
    throw new CliError(`The request is invalid: ${op} ${place}: ${why}`);
  };
}

/** The keys of a JSON pointer (RFC 6901); the first one, which is empty, stands for the whole object. */
function keysOf(pointer: unknown, fail: Fail): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/')))
    return fail('expected a path that begins with /');
  return pointer.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const isPrefix = (short: readonly string[], long: readonly string[]) =>
  short.every((key, at) => long[at] === key);

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

const ABSENT = 'there is no such field';

/** The mapping or list that the last key is in. */
function parentOf(whole: Container, keys: readonly string[], fail: Fail): Container {
  let at: unknown = whole;
  for (const key of keys.slice(0, -1)) at = isContainer(at) ? valueAt(at, key) : undefined;
  return isContainer(at) ? at : fail(ABSENT);
}

function valueAt(container: Container, key: string): unknown {
  if (Array.isArray(container)) return isIndex(key) ? container[Number(key)] : undefined;
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

const isIndex = (key: string) => /^(0|[1-9]\d*)$/.test(key);

function read(whole: Container, keys: readonly string[], fail: Fail): unknown {
  const value = valueAt(parentOf(whole, keys, fail), keys.at(-1)!);
  return value === undefined ? fail(ABSENT) : value;
}

function cut(whole: Container, keys: readonly string[], fail: Fail): unknown {
  const value = read(whole, keys, fail);
  const parent = parentOf(whole, keys, fail);
  const key = keys.at(-1)!;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return value;
}

/** Inserts into a list; sets in a mapping, whether or not the key has a value. */
function put(whole: Container, keys: readonly string[], value: unknown, fail: Fail): void {
  if (value === undefined) fail('expected a value');
  const parent = parentOf(whole, keys, fail);
  const key = keys.at(-1)!;
  if (!Array.isArray(parent)) {
    Object.defineProperty(parent, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
    return;
  }
  const at = key === '-' ? parent.length : isIndex(key) ? Number(key) : -1;
  if (at < 0 || at > parent.length) fail(`expected an index up to ${parent.length}, or -`);
  parent.splice(at, 0, value);
}
