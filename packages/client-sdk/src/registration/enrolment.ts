import { Backoff, pause } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import { warnOfFault } from '../base/guard.ts';
import type { Runtime } from '../base/runtime.ts';

/** First pause between two rounds, in ms. */
const FIRST_PAUSE_MS = 100;

/** What an instance does to get on the roll. */
export interface Enrolling {
  readonly runtime: Runtime;
  /** For messages. */
  readonly label: string;
  /** Longest pause between two rounds, in ms. */
  readonly longestPauseMs: number;
  /** Aborts when the instance leaves. */
  readonly signal: AbortSignal;
  /** Sends one registration to the registry. */
  send(): Promise<void>;
  /** A successor has the place. */
  superseded(error: RollcallError): void;
  /** A round failed. `isRefusal`: the first one that another try cannot change. */
  failed(error: RollcallError, isRefusal: boolean): void;
}

/**
 * Registers in rounds until one succeeds. Also returns when a successor turns out to have the place. `isFirst`: rejects
 * when trying again cannot help.
 */
export async function enrolInRounds(enrolling: Enrolling, isFirst: boolean): Promise<void> {
  const { runtime, label, longestPauseMs, signal } = enrolling;
  const backoff = new Backoff(runtime.random, FIRST_PAUSE_MS, longestPauseMs);
  let hasBeenRefused = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      // Never aborted midway: the client must know whether the instance is on the roll.
      await enrolling.send();
      return;
    } catch (error) {
      const isFault = !(error instanceof RollcallError);
      if (isFirst && (isFault || !error.retryable)) throw error;
      if (isFault) warnOfFault(runtime, `${label} comes back`, error);
      else if (error.code === 'instance_taken' || error.code === 'lease_superseded') {
        enrolling.superseded(error);
        return;
      } else {
        enrolling.failed(error, !error.retryable && !hasBeenRefused);
        hasBeenRefused ||= !error.retryable;
      }
      const askedMs = isFault ? 0 : (error.retryAfterMs ?? 0);
      await pause(runtime, backoff.nextDelayMs(askedMs), signal);
    }
  }
}
