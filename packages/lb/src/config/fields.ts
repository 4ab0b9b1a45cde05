import { z } from 'zod';

/** Every message here ends a sentence that begins with "got ...,". */
export function integer(from: number, to: number, unit = 'an integer') {
  const error = `expected ${unit} from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
}

const DAY_MS = 86_400_000;
export const ms = (from = 1) => integer(from, DAY_MS, 'milliseconds');
export const text = (what: string) => {
  const error = `expected ${what}`;
  return z.string({ error }).min(1, { error });
};
export const flag = z.boolean({ error: 'expected true or false' });
export const ratio = (() => {
  const error = 'expected a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
})();
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const label = (what: string) =>
  z.string({ error: `expected ${what}` }).regex(LABEL, {
    error: `expected ${what}: at most 63 of a-z, 0-9 and "-", not at either end`,
  });
export const port = integer(0, 65_535, 'a port');
export const object = <S extends z.core.$ZodLooseShape>(shape: S) =>
  z.strictObject(shape, { error: 'expected a mapping' });
