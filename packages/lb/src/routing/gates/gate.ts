import type { RequestView, Respond } from '@rollcall/dataplane';

/** The request may pass. */
export interface Granted {
  readonly kind: 'granted';
  /** Names of fields that are taken out of the request, in lower case. */
  readonly removed: readonly string[];
  /** Lines that are added, each with its end. */
  readonly lines: string;
}

export const GRANTED: Granted = Object.freeze({ kind: 'granted', removed: [], lines: '' });

export type Verdict = Granted | Respond;

/** The answer takes time. */
export interface Question {
  readonly kind: 'question';
  /** `answer` is called once, unless the returned function was called: then nobody waits any more. */
  start(answer: (verdict: Verdict) => void): () => void;
}

/** Decides whether a request may pass. */
export interface Gate {
  /** The view is valid during the call only. */
  judge(request: RequestView): Verdict | Question;
}

/** A question whose answer is a promise. If it fails, `onFault` says what the client gets. */
export function questionOf(
  ask: (signal: AbortSignal) => Promise<Verdict>,
  onFault: (error: unknown) => Verdict,
): Question {
  return {
    kind: 'question',
    start(answer) {
      const over = new AbortController();
      const settle = (verdict: Verdict): void => {
        if (!over.signal.aborted) answer(verdict);
      };
      void ask(over.signal).then(settle, (error: unknown) => settle(onFault(error)));
      return () => over.abort();
    },
  };
}
