import { z } from 'zod';
import { abortSignal, aFunction, durationMs } from '../api/option-kinds.ts';
import { settleMs } from '../registration/registration-spec.ts';
import { SignalChoice } from '../registration/signal-choice.ts';

export interface ServeOptions {
  /** Signals that begin the drain; `true` = SIGTERM and SIGINT. A second one ends the process at once. @default true */
  readonly signals?: boolean | readonly NodeJS.Signals[];
  /** Begins the drain too. */
  readonly signal?: AbortSignal;
  /** How long callers that never say so may take to learn that the instance leaves, in ms. @default the registration's */
  readonly settleMs?: number;
  /** A connection is closed when nothing came on it for this long, in ms; raise it across slow networks. @default 200 */
  readonly lingerMs?: number;
  /**
   * How long requests and streams that are under way may take, in ms, from the moment when callers know. Keep it below
   * what the process's manager allows, less a second: 10 s with Docker. @default 8000
   */
  readonly graceMs?: number;
  /**
   * Called when callers know: ends what does not end by itself, such as WebSockets and event streams. A WebSocket should
   * be closed with 1001. What is still open after `graceMs` is cut off.
   */
  readonly closeStreams?: () => void | Promise<void>;
}

/** Checks {@link ServeOptions}, and holds their defaults. */
export const ServeSchema = z.strictObject({
  signals: SignalChoice.prefault(true),
  signal: abortSignal().optional(),
  settleMs: settleMs().optional(),
  lingerMs: durationMs(0, 60_000).default(200),
  graceMs: durationMs(0, 86_400_000).default(8_000),
  closeStreams: aFunction<NonNullable<ServeOptions['closeStreams']>>().optional(),
});
export type ResolvedServe = z.output<typeof ServeSchema>;
