/** A write that the store has; `isApplied`: this server's own reads show it. */
export interface Committed<T> {
  readonly value: T;
  readonly isApplied: boolean;
}
