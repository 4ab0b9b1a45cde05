import { z } from 'zod';

/** An option of a program: a flag, an environment variable and a line of help. */
export interface OptionSpec {
  readonly flag: string;
  /** The variable that is read when the flag is not given. */
  readonly env?: string;
  /** Placeholder for the value in the help; undefined = a switch, which `--no-...` turns off. */
  readonly value?: string;
  /**
   * It takes several values: the flag may be repeated, and one text of a flag or variable may contain several, with
   * this separator. The schema gets an array. Use spaces for values that contain commas.
   */
  readonly list?: 'commas' | 'spaces';
  /** Its value is never printed. */
  readonly isSecret?: boolean;
  readonly help: string;
  /** Text for the default in the help, if the schema has none to show. */
  readonly fallback?: string;
  readonly schema: z.ZodType;
}

/** The options of a program by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** The values of an option table, checked and with defaults. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: z.output<T[K]['schema']>;
};

/** Checks the type of an option where it is declared. */
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
