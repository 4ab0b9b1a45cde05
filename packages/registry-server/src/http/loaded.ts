import { ProblemError } from '@rollcall/contract';
import type { Picture } from '../picture/picture.ts';

/** Throws `replica_cold` until the roll has been read once. */
export function checkLoaded(picture: Picture): void {
  if (picture.isLoaded) return;
  throw new ProblemError('replica_cold', 'the roll has not been read from the store yet');
}
