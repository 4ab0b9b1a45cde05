import { randomBytes } from 'node:crypto';

/** Randomness, as everything in the server sees it. */
export interface Random {
  /** `bytes` unguessable bytes as hex. */
  hex(bytes: number): string;
  /** A number in [0, 1). */
  share(): number;
}

/** The machine's randomness. */
export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  share: () => Math.random(),
};
