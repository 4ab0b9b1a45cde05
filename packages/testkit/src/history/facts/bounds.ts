/** What the promises come to in figures, for one run. */
export interface Bounds {
  /** The longest TTL in use. */
  readonly ttlMs: number;
  /** @default ttlMs / 3 */
  readonly heartbeatMs?: number;
  /** Kill of an instance with a hold to the last pick of it, in ms. @default 250 */
  readonly heldMs?: number;
  /** How late a watcher may learn of a change when nothing is broken, in ms. @default 1000 */
  readonly lagMs?: number;
  /** What a busy machine may add to any bound but `heldMs`, in ms. @default 1000 */
  readonly slackMs?: number;
  /** What was before this moment only explains what came after it: it is neither judged nor counted. @default -Infinity */
  readonly fromMs?: number;
  /** The callers' budget of retries. @default that of the SDK */
  readonly retries?: {
    readonly ratio: number;
    readonly minPerSecond: number;
    readonly burst: number;
  };
}

export type Limits = Required<Bounds>;

export function limitsOf(bounds: Bounds): Limits {
  return {
    heartbeatMs: bounds.ttlMs / 3,
    heldMs: 250,
    lagMs: 1_000,
    slackMs: 1_000,
    fromMs: -Infinity,
    retries: { ratio: 0.2, minPerSecond: 10, burst: 1_000 },
    ...bounds,
  };
}
