import { reportOf, type Verdict } from '@rollcall/testkit';
import { monotonicMs } from '../support/monotonic.ts';
import { Fleet } from './fleet.ts';
import { type Footprint, footprintOf, footprintText } from './footprint.ts';
import { Seeded } from './seeded.ts';
import { drawTrouble } from './trouble.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** How far back later checks may look, in ms. */
const MEMORY_MS = 45_000;

/** Random trouble, one after another, each followed by a quiet time, and the results. */
export class Soak {
  readonly #fleet: Fleet;
  readonly #options: SoakOptions;
  readonly #startedMs = monotonicMs();
  readonly #convergeMs: number[] = [];
  readonly #killToLastPickMs: number[] = [];
  readonly #footprints: { readonly at: string; readonly of: Map<string, Footprint | undefined> }[] =
    [];
  #troubles = 0;
  #requests = 0;
  #failed = 0;
  #unrepeatableFailed = 0;
  #falseEvictions = 0;
  #violations = 0;
  #longestStaleMs = 0;
  #checkedMs = -Infinity;
  #printedMs = monotonicMs();

  private constructor(fleet: Fleet, options: SoakOptions) {
    this.#fleet = fleet;
    this.#options = options;
  }

  /** Resolves to whether all promises were kept. */
  static async run(options: SoakOptions): Promise<boolean> {
    const fleet = await Fleet.start();
    try {
      const soak = new Soak(fleet, options);
      return await soak.#run();
    } finally {
      await fleet.scene.close();
    }
  }

  get #minutes(): number {
    return (monotonicMs() - this.#startedMs) / 60_000;
  }

  async #run(): Promise<boolean> {
    const { minutes, seed, print } = this.#options;
    const random = new Seeded(seed);
    await this.#fleet.whole();
    await this.#fleet.scene.quiet();
    await this.#measure('the beginning');
    while (this.#minutes < minutes) {
      await this.#strike(random);
      if (this.#footprints.length === 1 && this.#minutes > minutes / 2) {
        await this.#measure('the middle');
      }
      if (monotonicMs() - this.#printedMs > 60_000) this.#printMinute();
    }
    await this.#measure('the end');
    for (const line of this.#summary()) print(line);
    return this.#violations === 0;
  }

  async #strike(random: Seeded): Promise<void> {
    const { scene } = this.#fleet;
    const trouble = drawTrouble(random);
    const name = `${++this.#troubles}. ${trouble.name}`;
    this.#options.print(`${this.#minutes.toFixed(1)} min: ${name}`);
    const heal = scene.fault(name, ...trouble.breaks(this.#fleet));
    await trouble.strike(this.#fleet, random);
    heal();
    try {
      await this.#fleet.whole();
    } catch (error) {
      this.#violations++;
      this.#options.print(`G4 after ${name}: ${(error as Error).message}`);
    }
    await scene.quiet();
    const nowMs = monotonicMs();
    this.#count(await scene.check(this.#checkedMs));
    this.#checkedMs = nowMs;
    scene.history.forget(nowMs - MEMORY_MS);
  }

  #count({ violations, figures }: Verdict): void {
    this.#requests += figures.requests;
    this.#failed += figures.requestsFailed;
    this.#unrepeatableFailed += figures.unrepeatableFailed;
    this.#falseEvictions += figures.falseEvictions;
    this.#violations += violations.length;
    this.#longestStaleMs = Math.max(this.#longestStaleMs, figures.longestStaleMs);
    this.#convergeMs.push(...figures.convergeMs);
    this.#killToLastPickMs.push(...figures.killToLastPickMs);
    if (violations.length > 0) this.#options.print(reportOf(violations));
  }

  async #measure(at: string): Promise<void> {
    const { sites, balancerPid } = this.#fleet;
    const pids = new Map(sites.map(({ name, server }) => [name, server.process.pid]));
    pids.set('balancer', balancerPid).set('this program', process.pid);
    const of = new Map<string, Footprint | undefined>();
    for (const [name, pid] of pids) of.set(name, await footprintOf(pid));
    this.#footprints.push({ at, of });
  }

  #printMinute(): void {
    this.#printedMs = monotonicMs();
    const megabytes = (process.memoryUsage.rss() / 1_048_576).toFixed(0);
    this.#options.print(
      `${this.#minutes.toFixed(0)} min: ${this.#troubles} troubles, ${this.#requests} requests, ${this.#failed} failed, ` +
        `${this.#violations} violations, log ${this.#fleet.scene.history.size}, this program ${megabytes} MB`,
    );
  }

  #summary(): string[] {
    const of = (values: readonly number[], share: number) => {
      const sorted = values.toSorted((a, b) => a - b);
      return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]?.toFixed(0) ?? '-';
    };
    const [converged, kills] = [this.#convergeMs, this.#killToLastPickMs];
    return [
      `seed ${this.#options.seed}, ${this.#minutes.toFixed(1)} minutes, ${this.#troubles} troubles`,
      `violations ${this.#violations}, false evictions ${this.#falseEvictions}`,
      `requests ${this.#requests}, failed ${this.#failed}, all but ${this.#failed - this.#unrepeatableFailed} of them not to be repeated`,
      `longest stale time ${this.#longestStaleMs.toFixed(0)} ms`,
      `time to converge p50 ${of(converged, 0.5)}, p99 ${of(converged, 0.99)}, most ${of(converged, 1)} ms over ${converged.length}`,
      `kill to last pick p99 ${of(kills, 0.99)}, most ${of(kills, 1)} ms over ${kills.length} kills`,
      ...this.#footprints.flatMap(({ at, of: all }) =>
        [...all].map(([name, footprint]) => `at ${at}, ${name}: ${footprintText(footprint)}`),
      ),
    ];
  }
}
