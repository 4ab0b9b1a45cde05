import { helpText } from './help-text.ts';
import type { OptionTable, OptionValues } from './option-spec.ts';
import { readOptions } from './read-options.ts';

export interface ProgramOptions<T extends OptionTable, Config> {
  /** What the program does and how to start it, for `--help`. */
  readonly head: string;
  readonly table: T;
  /** Checks what involves more than one option. @throws ConfigError */
  readonly check: (values: OptionValues<T>) => Config;
}

/** The options of a program: how to read them, and the text of `--help`. */
export function programOptions<T extends OptionTable, Config>({
  head,
  table,
  check,
}: ProgramOptions<T, Config>) {
  return {
    /** Reads flags over environment over defaults. Throws a {@link ConfigError} that names every wrong option. */
    readConfig: (argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Config =>
      Object.freeze(check(readOptions(table, argv, environment))),
    helpText: (): string => helpText(head, table),
  };
}
