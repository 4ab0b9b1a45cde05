import { z } from 'zod';

/** An option of a program: a flag, an environment variable and a line of help. */
export interface OptionSpec {
  readonly flag: string;
  /** Where it is looked for when the flag is not given. */
  readonly env?: string;
  /** What stands for the value in the help; undefined: a switch, which `--no-...` turns off. */
  readonly value?: string;
  /**
   * It holds several values: the flag may be repeated, and one text of flag or variable may hold more than one, separated so.
   * The schema gets an array. Spaces are for values that hold commas.
   */
  readonly list?: 'commas' | 'spaces';
  /** Its value is never shown. */
  readonly isSecret?: boolean;
  readonly help: string;
  /** What the help shows as default where the default itself does not say it. */
  readonly fallback?: string;
  readonly schema: z.ZodType;
}

/** The options of a program by the names under which it reads them. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What a table of options comes to: each value checked, with its default. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: z.output<T[K]['schema']>;
};

/** Checks an option as it is written down. */
export const spec = <T extends OptionSpec>(given: T): T => given;

/** A whole number within a range, as text. */
export const int = (min: number, max: number) => {
  const error = `expected a whole number, ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,12}$/, { error })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
};

/** A switch: true or false, as text. */
export const onOff = z.stringbool({ error: 'expected true or false' });
