import { parseArgs } from 'node:util';
import { nearestWord } from '@rollcall/contract';
import type { z } from 'zod';
import type { OptionSpec, OptionTable, OptionValues } from './option-spec.ts';

/** Wrong options or files: the message names the option, the value and what was expected. */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
}

type Given = string | readonly string[] | undefined;
type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/**
 * Reads flags over environment over defaults. An empty variable counts as not set.
 * @throws ConfigError that names every wrong option, one per line.
 */
export function readOptions<T extends OptionTable>(
  table: T,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): OptionValues<T> {
  const flags = readFlags(table, argv);
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const { flag, env = '', schema } = option;
    const fromFlag = textsOf(flags[flag]);
    const fromEnv = environment[env] === '' ? undefined : environment[env];
    const given = valueOf(option, fromFlag ?? (fromEnv === undefined ? undefined : [fromEnv]));
    const result = schema.safeParse(given);
    if (result.success) values[name] = result.data;
    else {
      const source = fromFlag === undefined && given !== undefined ? env : `--${flag}`;
      problems.push(`${source}: ${problemOf(option, given, result.error)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values as OptionValues<T>;
}

function textsOf(flag: Flags[string]): readonly string[] | undefined {
  if (flag === undefined) return undefined;
  return Array.isArray(flag) ? flag.map(String) : [String(flag)];
}

/** One text, or the values of a list. A list of only empty text is kept, so that the schema refuses it. */
function valueOf({ list }: OptionSpec, texts: readonly string[] | undefined): Given {
  if (texts === undefined || list === undefined) return texts?.at(-1);
  const separator = list === 'commas' ? /[,\s]+/ : /\s+/;
  const values = texts.flatMap((text) => text.split(separator)).filter((part) => part !== '');
  return values.length === 0 ? [''] : values;
}

/** What is wrong; for a list, with the one wrong value. */
function problemOf({ isSecret = false }: OptionSpec, given: Given, { issues }: z.ZodError): string {
  const { message = 'is wrong', path = [] } = issues[0] ?? {};
  if (given === undefined) return message;
  const value = typeof given === 'string' ? given : (given[Number(path[0] ?? 0)] ?? given);
  return `${message}, got ${isSecret ? '(not shown)' : JSON.stringify(value)}`;
}

function readFlags(table: OptionTable, argv: readonly string[]): Flags {
  const options = Object.fromEntries(
    Object.values(table).map(({ flag, value, list }) => {
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [flag, { type, multiple: list !== undefined }];
    }),
  );
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowNegative: true }).values;
  } catch (error) {
    const message = (error as Error).message.replace(/\.? To specify.*$/s, '');
    const [, unknown = ''] = /^Unknown option '(?:--(?:no-)?)?([^']*)'/.exec(message) ?? [];
    const meant = nearestWord(unknown, Object.keys(options));
    const hint = meant === undefined ? '--help lists the options' : `did you mean --${meant}?`;
    throw new ConfigError(`${message} (${hint})`);
  }
}
