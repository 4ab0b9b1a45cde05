import type { Clock } from '@rollcall/runtime';

/** At most one log line per reason in this time, in ms. */
const EVERY_MS = 1_000;

/** Why a token was refused: it is missing or unknown, or it covers too little. */
export type RefusedFor = 'unauthenticated' | 'forbidden';

/** The refused call, without anything of the token. */
export interface RefusedCall {
  readonly peerAddress: string;
  readonly method: string;
  /** With `:name` in place of each parameter. */
  readonly route: string;
}

/** Gets the latest refused call, and the number of refusals since the previous line. */
export type TellRefused = (why: RefusedFor, call: RefusedCall, count: number) => void;

interface Pending {
  call: RefusedCall;
  count: number;
}

/** Logs refused tokens at a limited rate: guessing is visible and cannot flood the log. */
export class RefusedTokens {
  readonly #clock: Clock;
  readonly #tell: TellRefused;
  /** Reasons logged a moment ago -> the refusals since. */
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
