// An `import` takes all names of the module, and so loads the Web Crypto API with it.
const { randomBytes, randomInt } = process.getBuiltinModule('node:crypto');

/** The source of randomness for all code. Code that needs less takes a part: `Random['share']`. */
export interface Random {
  /** A number in [0, 1). */
  readonly share: () => number;
  /** `bytes` unguessable bytes as hex. */
  readonly hex: (bytes: number) => string;
  /** An unguessable whole number, 0 up to but not including `limit`. */
  readonly below: (limit: number) => number;
}

/** The machine's randomness. */
export const systemRandom: Random = {
  share: () => Math.random(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  below: (limit) => randomInt(limit),
};
