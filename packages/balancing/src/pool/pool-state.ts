import type { Picker } from '../order/picker.ts';
import type { PoolTarget } from './pool-target.ts';

/** The state of a pool at one moment; replaced as a whole when anything but the use counters changes. */
export interface PoolState<T extends PoolTarget> {
  /** Picks among the admitted targets. The same object as before when the admitted targets have not changed. */
  readonly picker: Picker<T>;
  /** All targets that calls may go to, including ejected and unfit ones. */
  readonly usable: readonly T[];
  /** Too few targets are fit, or none, so all are used. */
  readonly isFailOpen: boolean;
  /** Those in other zones that come after those of the preferred one. */
  readonly far: ReadonlySet<T>;
}
