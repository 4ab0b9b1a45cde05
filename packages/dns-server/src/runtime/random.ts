import { randomInt } from 'node:crypto';

/** A whole number, 0 to 65535, that nobody can guess: ids of forwarded queries. */
export type RandomId = () => number;

export const systemRandomId: RandomId = () => randomInt(65_536);
