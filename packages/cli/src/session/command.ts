import { z } from 'zod';
import { usageError } from '../base/cli-error.ts';
import type { Context } from './context.ts';

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** Placeholder for the value in the help. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

/** The parsed command line, with options by their long names. */
export interface Arguments {
  readonly words: readonly string[];
  /** The words after `--`. */
  readonly rest: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | string[] | undefined>>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Without the program's name. */
  readonly usage: string;
  /** What its words are, for completion: objects by type and name, instances, or one of these words. @default none */
  readonly takes?: 'objects' | 'instances' | readonly string[];
  readonly examples: readonly string[];
  /** Whether it may run for days beside another program: then it should need little memory. @default false */
  readonly isLongRunning?: boolean;
  readonly options: Options;
  /**
   * Resolves with the exit code. Rejects with a
   * {@link import('../base/cli-error.ts').CliError} that describes the error.
   */
  run(context: Context, given: Arguments): Promise<number>;
}

/** A string option; undefined when it was not given. */
export function textOption({ options }: Arguments, name: string): string | undefined {
  const value = options[name];
  // Accepts `-o=json` as well as `-o json`.
  return typeof value === 'string' ? value.replace(/^=/, '') : undefined;
}

const Digits = z.string().regex(/^\d+$/).transform(Number);

/** Parses a whole number; a usage error names the option, the value and what was expected. */
export function wholeNumber(text: string, option: string, least: number, most: number): number {
  const { success, data } = Digits.pipe(z.int().min(least).max(most)).safeParse(text);
  if (success) return data;
  const expected = `expected a whole number from ${least} to ${most}`;
  throw usageError(`--${option}: ${expected}, got "${text}"`);
}

/** An option that is a whole number from 0 to 65535: ports, counts, weights. */
export function numberOption(given: Arguments, name: string): number | undefined {
  const text = textOption(given, name);
  return text === undefined ? undefined : wholeNumber(text, name, 0, 65_535);
}

export function flagOption({ options }: Arguments, name: string): boolean {
  return options[name] === true;
}

export function listOption({ options }: Arguments, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map((one) => one.replace(/^=/, '')) : [];
}
