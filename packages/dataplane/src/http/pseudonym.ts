import { systemRandom } from '@rollcall/runtime';

/** A name that no other process has. */
export function createPseudonym(): string {
  return `rollcall-${systemRandom.hex(6)}`;
}
