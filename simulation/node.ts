import type { Runtime } from '@rollcall/client-sdk/testing';
import type { Clock } from '@rollcall/registry-server/testing';
import type { SeededRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

/** Unix time at which every simulation begins, in ms. */
const EPOCH_MS = 1_800_000_000_000;

/** A process or machine: what it has planned happens as long as it runs. */
export class Node {
  readonly name: string;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  /** What fell due while it was stopped. */
  #overdue: (() => void)[] = [];
  readonly #onDeath = new Set<() => void>();
  /** How far its wall clock is off, in ms. */
  skewMs = 0;

  constructor(name: string, timeline: Timeline, random: SeededRandom) {
    this.name = name;
    this.timeline = timeline;
    this.random = random;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Does something later, unless it is dead by then; when it is stopped, as soon as it goes on. */
  after(delayMs: number, act: () => void): { cancel(): void } {
    let isOff = false;
    const run = () => {
      if (isOff || this.#state === 'dead') return;
      if (this.#state === 'stopped') this.#overdue.push(run);
      else act();
    };
    const planned = this.timeline.plan(delayMs, run);
    return {
      cancel: () => {
        isOff = true;
        planned.act = undefined;
      },
    };
  }

  /** As SIGSTOP does. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** As SIGCONT does: what is overdue happens now. */
  continue(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const act of this.#overdue.splice(0)) this.timeline.plan(0, act);
  }

  /** As SIGKILL does: the system tells the other ends of its connections. `isSilent`: as a power cut does. */
  kill(isSilent = false): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    if (!isSilent) for (const tell of this.#onDeath) tell();
    this.#onDeath.clear();
  }

  onDeath(tell: () => void): () => void {
    this.#onDeath.add(tell);
    return () => this.#onDeath.delete(tell);
  }

  /** The time as a registry server or store there sees it. */
  clock(): Clock {
    return {
      wallMs: () => EPOCH_MS + this.timeline.nowMs + this.skewMs,
      monotonicMs: () => this.timeline.nowMs,
      after: (ms, call) => this.after(ms, call),
      every: (ms, call) => {
        let timer = { cancel() {} };
        const again = () => {
          timer = this.after(ms, () => {
            again();
            call();
          });
        };
        again();
        return { cancel: () => timer.cancel() };
      },
    };
  }

  /** What the SDK takes from the world. */
  runtime(): Partial<Runtime> {
    return {
      monotonicMs: () => this.timeline.nowMs,
      random: () => this.random.share(),
      randomId: () => this.random.hex(16),
      hostName: () => this.name,
      warn: () => {},
      processId: () => 1,
      after: (delayMs, callback) => this.after(delayMs, callback),
    };
  }
}
