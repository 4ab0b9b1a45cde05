import { invalidOption } from './parse-options.ts';

/**
 * What one class gives to the rest of this package and not to its users: how it is given, once by each object, and how
 * it is read. Reading throws a RollcallError `invalid_options` for anything but such an object: one of another copy of
 * the package has not given it here.
 *
 * `option`: what users call the object; `expected`: what it has to be.
 */
export function inside<T>(
  option: string,
  expected: string,
): readonly [give: (owner: object, part: T) => void, read: (owner: unknown) => T] {
  const parts = new WeakMap<object, T>();
  const read = (owner: unknown): T => {
    const part = typeof owner === 'object' && owner !== null ? parts.get(owner) : undefined;
    if (part !== undefined) return part;
    const message = `option ${option}: expected ${expected} of the same copy of @rollcall/client-sdk`;
    throw invalidOption(message, option);
  };
  return [(owner, part) => void parts.set(owner, part), read];
}
