import { randomBytes } from 'node:crypto';

/** A name that no other process has. */
export function createPseudonym(): string {
  return `rollcall-${randomBytes(6).toString('hex')}`;
}
