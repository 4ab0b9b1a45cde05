import { z } from 'zod';

/** An option of the server: a flag, an environment variable and a line of help. */
export interface OptionSpec {
  readonly flag: string;
  readonly env: string;
  /** What stands for the value in the help; undefined = a switch. */
  readonly value?: string;
  readonly help: string;
  readonly schema: z.ZodType;
}

/** A whole number within a range, as text. */
export const int = (min: number, max: number) => {
  const error = `expected a whole number, ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, { error })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
};

/** Checks an option as it is written down. */
export const spec = <T extends OptionSpec>(given: T): T => given;
