import { systemClock } from '@rollcall/runtime';
import { loopTurn } from './loop-turn.ts';

/**
 * So many turns of the event loop without a byte mean that nothing is under way: peers in one process need about three
 * for a new connection, its request and the answer to begin.
 */
const QUIET_TURNS = 12;

/** How long an answer that is owed may take in real time, in ms: a manifest is read in a thread, for example. */
const PATIENCE_MS = 500;

/** What is under way between the clients and the registry, so that a test can wait until it is done. */
export class Activity {
  #notes = 0;
  readonly #owed = new Set<symbol>();

  /** Something moved. */
  note(): void {
    this.#notes++;
  }

  /** An answer is owed, which does not wait for the clock. Returns a function that says that it came. */
  owe(): () => void {
    const answer = Symbol('answer');
    this.#owed.add(answer);
    this.note();
    return () => {
      this.#owed.delete(answer);
      this.note();
    };
  }

  /** Resolves once nothing moves any more. An answer that does not come is not waited for again. */
  async settled(): Promise<void> {
    let notes = this.#notes;
    let quietTurns = 0;
    let movedAtMs = systemClock.monotonicMs();
    for (;;) {
      await loopTurn();
      if (notes !== this.#notes) {
        notes = this.#notes;
        quietTurns = 0;
        movedAtMs = systemClock.monotonicMs();
        continue;
      }
      quietTurns++;
      if (quietTurns < QUIET_TURNS) continue;
      if (this.#owed.size === 0) return;
      if (systemClock.monotonicMs() - movedAtMs >= PATIENCE_MS) this.#owed.clear();
    }
  }
}
