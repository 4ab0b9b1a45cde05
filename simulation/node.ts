import type { Runtime } from '@rollcall/client-sdk/testing';
import type { Clock } from '@rollcall/registry-server/testing';
import type { SeededRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

/** Unix time at the start of every simulation, in ms. */
const EPOCH_MS = 1_800_000_000_000;

/** A process or machine: its planned actions run for as long as it does. */
export class Node {
  readonly name: string;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  /** Actions that became due while it was stopped. */
  #overdue: (() => void)[] = [];
  readonly #onDeath = new Set<() => void>();
  /** Offset of its wall clock, in ms. */
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

  /** Runs an action later, unless the node is dead by then; if it is stopped, as soon as it continues. */
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

  /** Like SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** Like SIGCONT: overdue actions run now. */
  continue(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const act of this.#overdue.splice(0)) this.timeline.plan(0, act);
  }

  /** Like SIGKILL: the system notifies the other ends of its connections. `isSilent`: like a power failure. */
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

  /** The clock of a registry server or store on this node. */
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

  /** The SDK's runtime on this node. */
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
