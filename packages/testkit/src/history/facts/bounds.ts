/** The figures that the promises imply for one run. */
export interface Bounds {
  /** The longest TTL in use. */
  readonly ttlMs: number;
  /** @default ttlMs / 3 */
  readonly heartbeatMs?: number;
  /** Longest time from the kill of an instance with a hold to its last pick, in ms. @default 250 */
  readonly heldMs?: number;
  /** Longest time until a watcher learns of a change when nothing is broken, in ms. @default 1000 */
  readonly lagMs?: number;
  /** Extra time that a busy machine may need, for any limit except `heldMs`, in ms. @default 1000 */
  readonly slackMs?: number;
  /** Events before this moment only explain later ones: they are neither judged nor counted. @default -Infinity */
  readonly fromMs?: number;
  /** The callers' retry budget. @default the SDK's */
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
