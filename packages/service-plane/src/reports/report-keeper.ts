import type { Clock, Timer } from '@rollcall/runtime';

/** Where reports are sent. Rejections are retried. */
export interface ReportTarget<T> {
  post(key: string, notice: T): Promise<void>;
  withdraw(key: string): Promise<void>;
}

export interface ReportOptions {
  /** How long a report is valid, in ms; it is sent again after about half of that. */
  readonly forMs: number;
  /** Uniform in [0, 1): spreads reports that were first sent together. */
  readonly random: () => number;
  readonly clock: Clock;
  /** Called once per series of failures, for the log. */
  readonly onTrouble: (error: Error) => void;
}

interface Entry<T> {
  /** Undefined = to be withdrawn. */
  notice: T | undefined;
  text: string;
  /** What the registry has now, as far as known; empty = nothing. */
  posted: string;
  dueAt: number;
  backoffMs: number;
  isUnderWay: boolean;
}

const TICK_MS = 100;
/** How many reports are started per tick, and how many may be under way, so that a thousand reports are no flood. */
const PER_TICK = 20;
const UNDER_WAY = 8;
const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 60_000;
/** A report whose withdrawal failed this often is left to expire by itself. */
const REMOVALS = 3;

/** Keeps the reports about a plane's services up to date elsewhere: sends them on change, and before they expire. */
export class ReportKeeper<T> {
  readonly counters = { posted: 0, failed: 0 };
  readonly #port: ReportTarget<T>;
  readonly #options: ReportOptions;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #tickTimer: Timer;
  readonly #underWay = new Set<Promise<void>>();
  #isTroubled = false;
  #isClosed = false;

  constructor(port: ReportTarget<T>, options: ReportOptions) {
    this.#port = port;
    this.#options = options;
    this.#tickTimer = options.clock.every(TICK_MS, () => this.#tick());
  }

  /** Sets the report of a service. Setting the same again costs nothing. */
  set(key: string, notice: T): void {
    const text = JSON.stringify(notice);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const fresh = { posted: '', dueAt: 0, backoffMs: FIRST_BACKOFF_MS, isUnderWay: false };
      this.#entries.set(key, { notice, text, ...fresh });
    } else if (entry.text !== text || entry.notice === undefined) {
      Object.assign(entry, { notice, text, dueAt: 0, backoffMs: FIRST_BACKOFF_MS });
    }
  }

  /** Withdraws the report. */
  withdraw(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    Object.assign(entry, { notice: undefined, text: '', dueAt: 0, backoffMs: FIRST_BACKOFF_MS });
  }

  /** Withdraws all reports, with one attempt each. May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tickTimer.cancel();
    // A report that is being sent must not arrive after its withdrawal.
    await Promise.all(this.#underWay);
    const keys = [...this.#entries].filter(([, entry]) => stands(entry)).map(([key]) => key);
    const one = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop())
        await this.#port.withdraw(key).catch((error: unknown) => this.#report(error as Error));
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, one));
  }

  #tick(): void {
    const now = this.#options.clock.monotonicMs();
    let begun = 0;
    for (const [key, entry] of this.#entries) {
      if (begun === PER_TICK || this.#underWay.size === UNDER_WAY) return;
      if (entry.isUnderWay || now < entry.dueAt) continue;
      if (entry.notice === undefined && !stands(entry)) {
        this.#entries.delete(key);
      } else {
        begun++;
        const saying = this.#say(key, entry).finally(() => this.#underWay.delete(saying));
        this.#underWay.add(saying);
      }
    }
  }

  async #say(key: string, entry: Entry<T>): Promise<void> {
    const { notice, text } = entry;
    entry.isUnderWay = true;
    try {
      // Even a request that fails may have taken effect, if only its answer was lost.
      if (notice === undefined) await this.#port.withdraw(key);
      else await this.#port.post(key, notice);
      entry.posted = text;
      this.counters.posted++;
      this.#isTroubled = false;
      this.#settle(entry, text);
    } catch (error) {
      this.#fail(entry, error as Error);
    } finally {
      entry.isUnderWay = false;
    }
  }

  #settle(entry: Entry<T>, text: string): void {
    entry.backoffMs = FIRST_BACKOFF_MS;
    // It may have changed meanwhile.
    if (entry.text !== text) return;
    const { forMs, random, clock } = this.#options;
    entry.dueAt =
      entry.notice === undefined ? 0 : clock.monotonicMs() + forMs * (0.4 + 0.2 * random());
  }

  /** Reports the first failure of a series. */
  #report(error: Error): void {
    if (!this.#isTroubled) this.#options.onTrouble(error);
    this.#isTroubled = true;
  }

  #fail(entry: Entry<T>, error: Error): void {
    this.counters.failed++;
    this.#report(error);
    const { clock, random } = this.#options;
    entry.dueAt = clock.monotonicMs() + entry.backoffMs * (0.75 + 0.5 * random());
    entry.backoffMs = Math.min(entry.backoffMs * 2, LAST_BACKOFF_MS);
    if (entry.notice !== undefined) entry.posted = entry.posted === '' ? UNKNOWN : entry.posted;
    else if (entry.backoffMs > FIRST_BACKOFF_MS * 2 ** (REMOVALS - 1)) entry.posted = '';
  }
}

/** Sent without an answer: the registry may have it. */
const UNKNOWN = 'unknown';

function stands({ posted, isUnderWay }: Entry<unknown>): boolean {
  return posted !== '' || isUnderWay;
}
