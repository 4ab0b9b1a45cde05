import type { Endpoint } from '@rollcall/client-sdk';
import type { CallReport } from './caller.ts';

/** Interval at which the line is printed when it cannot be overwritten, in seconds. */
const PLAIN_EVERY = 10;

/** The status line at the bottom: the instances on the roll, and the results of the calls. */
export class LiveLine {
  readonly #isTerminal = process.stdout.isTTY;
  #roll = 'nobody';
  #report: CallReport = { answered: 0, failed: 0, by: {} };
  #timer: NodeJS.Timeout | undefined;
  #seconds = 0;
  #isShown = false;
  #isBlind = false;

  begin(): void {
    this.#timer = setInterval(() => this.#show(this.#seconds++ % PLAIN_EVERY === 0), 1_000);
    this.#show(true);
  }

  saw(endpoints: readonly Endpoint[]): void {
    const roll = endpoints
      .toSorted((a, b) => (a.instance < b.instance ? -1 : 1))
      .map(({ instance, state }) => (state === 'up' ? instance : `${instance} (${state})`));
    this.#roll = roll.length === 0 ? 'nobody' : roll.join(', ');
    if (this.#timer !== undefined) this.#show(true);
  }

  /** Nothing that changes is seen any more. */
  lostRegistry(): void {
    this.#isBlind = true;
  }

  called(report: CallReport): void {
    this.#report = report;
  }

  /** Prints a separate line above it. */
  say(text: string): void {
    this.#clear();
    console.log(text);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#isShown) process.stdout.write('\n');
  }

  #show(isDue: boolean): void {
    if (!this.#isTerminal && !isDue) return;
    const { answered, failed, by } = this.#report;
    const shares = Object.entries(by)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, count]) => `${id} ${count}`)
      .join(', ');
    const roll = this.#isBlind
      ? `${this.#roll} (as last seen: the registry has ended)`
      : this.#roll;
    const text = `on the roll: ${roll} | calls: ${answered} answered, ${failed} failed | last second: ${shares || 'none'}`;
    if (!this.#isTerminal) {
      console.log(text);
      return;
    }
    this.#clear();
    process.stdout.write(text.slice(0, (process.stdout.columns ?? 120) - 1));
    this.#isShown = true;
  }

  #clear(): void {
    if (this.#isTerminal && this.#isShown) process.stdout.write('\r\u001b[2K');
    this.#isShown = false;
  }
}
