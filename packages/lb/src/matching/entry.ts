import type { Condition } from './conditions.ts';
import type { PathPattern } from './path-pattern.ts';

/** A rule as a table knows it. */
export interface Entry<T> {
  /** An exact name, or one with `*.` before it; undefined: any host. */
  readonly host: string | undefined;
  /** What `*.` stands for: exactly one label, or any number of them. @default any */
  readonly hostDepth?: 'one' | 'any' | undefined;
  readonly path: PathPattern | undefined;
  readonly conditions: readonly Condition[];
  /** Rules with one go before those without, in the order of their numbers. */
  readonly priority: number | undefined;
  /** Its place in the list. */
  readonly index: number;
  readonly value: T;
}
