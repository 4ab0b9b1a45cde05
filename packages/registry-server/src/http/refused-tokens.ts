import type { Clock } from '@rollcall/runtime';

/** One line for each reason in so many ms. */
const EVERY_MS = 1_000;

/** Why a caller was turned away for its token: it had none that is known, or one that covers too little. */
export type RefusedFor = 'unauthenticated' | 'forbidden';

/** Who was turned away, without a word of the token itself. */
export interface RefusedCall {
  readonly peerAddress: string;
  readonly method: string;
  /** With `:name` where a parameter stands. */
  readonly route: string;
}

/** Told of the latest of those refused, and how many there were since the line before. */
export type TellRefused = (why: RefusedFor, call: RefusedCall, count: number) => void;

interface Pending {
  call: RefusedCall;
  count: number;
}

/** Leaves lines about refused tokens in the log, and not more than it can bear: guessing is seen and cannot flood it. */
export class RefusedTokens {
  readonly #clock: Clock;
  readonly #tell: TellRefused;
  /** Those whose reason was told of a moment ago. */
  readonly #pending = new Map<RefusedFor, Pending | undefined>();

  constructor(clock: Clock, tell: TellRefused) {
    this.#clock = clock;
    this.#tell = tell;
  }

  note(why: RefusedFor, call: RefusedCall): void {
    const pending = this.#pending.get(why);
    if (pending !== undefined) {
      pending.call = call;
      pending.count++;
    } else if (this.#pending.has(why)) this.#pending.set(why, { call, count: 1 });
    else this.#say(why, { call, count: 1 });
  }

  #say(why: RefusedFor, { call, count }: Pending): void {
    this.#tell(why, call, count);
    this.#pending.set(why, undefined);
    this.#clock.after(EVERY_MS, () => {
      const pending = this.#pending.get(why);
      this.#pending.delete(why);
      if (pending !== undefined) this.#say(why, pending);
    });
  }
}
