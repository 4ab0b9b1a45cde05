import { systemRandom } from '@rollcall/runtime';

/** A name that no other process uses. */
export function createPseudonym(): string {
  return `rollcall-${systemRandom.hex(6)}`;
}
