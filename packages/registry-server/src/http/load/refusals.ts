/** Why a caller was asked to come back later. */
export type RefusalReason =
  | 'loop_delay'
  | 'requests_in_flight'
  | 'snapshot_rate'
  | 'read_rate'
  | 'write_rate'
  | 'heartbeat_rate';

const REASONS: readonly RefusalReason[] = [
  'loop_delay',
  'requests_in_flight',
  'snapshot_rate',
  'read_rate',
  'write_rate',
  'heartbeat_rate',
];

/** Counts the refusals under load, by reason. */
export class Refusals {
  readonly #counts = new Map<RefusalReason, number>(REASONS.map((reason) => [reason, 0]));

  get counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  count(reason: RefusalReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }
}
