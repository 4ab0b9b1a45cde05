import { parseOptions as parse, unknownOption } from '@rollcall/contract';
import type { z } from 'zod';
import { RollcallError } from './error.ts';

/** The error of a wrong option; `field` is its path. */
export const invalidOption = (message: string, field = ''): RollcallError =>
  new RollcallError('invalid_options', message, { field });

/**
 * Parses options of any schema. Throws a {@link RollcallError} that names the option, its value and what was expected.
 */
export function parseOptions<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  return parse(schema, given, invalidOption);
}

/** The error of an option that is none of the known ones. */
export const unknownOptionError = (name: string, known: readonly string[]): RollcallError =>
  invalidOption(unknownOption(name, known));

/** For options that no one schema has. Throws a {@link RollcallError} that names the first unknown one. */
export function throwIfUnknown(given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownOptionError(unknown, known);
}
