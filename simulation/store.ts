import {
  StoreRefusalError,
  type Store,
  StoreUnavailableError,
} from '@rollcall/registry-server/testing';
import { type Backend, FOLLOW_MS, type OpenBackend, type Verb, WRITES } from './backend.ts';
import type { Network } from './network.ts';
import type { Node } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

/** Timeout of a command, in ms; the same as in the product. */
const COMMAND_TIMEOUT_MS = 2_000;

/** A command that a primary executed, as its replicas receive it. */
interface Journaled {
  readonly atMs: number;
  readonly storeMs: number;
  readonly runId: string;
  readonly verb: Verb;
  readonly args: readonly unknown[];
}

export interface PrimaryOptions {
  readonly open: OpenBackend;
  readonly timeline: Timeline;
  readonly epoch: string;
  readonly logLength: number;
  readonly guardMs: number;
  /** Offset of its clock, in ms. */
  readonly skewMs: number;
  readonly baseMs: number;
}

let runs = 0;

/** A store that accepts writes, and can be copied in an earlier state. */
class Primary {
  readonly options: PrimaryOptions;
  readonly journal: Journaled[] = [];
  readonly #backend: Backend;
  readonly #runId: string;
  readonly #timeline: Timeline;
  /** The command of another primary that it is replaying now. */
  #repeats: { readonly storeMs: number; readonly runId: string } | undefined;
  isUp = true;
  refusesWrites = false;
  /** Calls in progress: notified when the primary goes down. */
  readonly callers = new Set<() => void>();

  constructor(options: PrimaryOptions) {
    this.options = options;
    this.#timeline = options.timeline;
    const { open, timeline, epoch, logLength, guardMs } = options;
    this.#runId = `run-${++runs}`;
    const runId = () => this.#repeats?.runId ?? this.#runId;
    const nowMs = () => this.nowMs;
    this.#backend = open({ timeline, epoch, logLength, guardMs, nowMs, runId });
  }

  get nowMs(): number {
    const { baseMs, skewMs } = this.options;
    return this.#repeats?.storeMs ?? baseMs + this.#timeline.nowMs + skewMs;
  }

  run(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    if (WRITES.has(verb)) {
      const runId = this.#runId;
      this.journal.push({ atMs: this.#timeline.nowMs, storeMs: this.nowMs, runId, verb, args });
    }
    return this.#backend.run(verb, args);
  }

  /** A replica that had received everything up to a moment becomes a primary, with its own clock. */
  promoted(upToMs: number, skewMs: number, newEpoch: string): Primary {
    const received = this.journal.filter(({ atMs }) => atMs <= upToMs);
    // Without any data it does not have their identity either.
    const epoch = received.length === 0 ? newEpoch : this.options.epoch;
    const promoted = new Primary({ ...this.options, skewMs, epoch });
    promoted.journal.push(...received);
    void this.#timeline.outside(() => promoted.#repeat(promoted.journal.slice()));
    return promoted;
  }

  /** Breaks the connections of all callers. */
  down(): void {
    this.isUp = false;
    for (const tell of this.callers) tell();
    this.callers.clear();
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  async #repeat(journal: readonly Journaled[]): Promise<void> {
    for (const done of journal) {
      this.#repeats = done;
      // A command that was refused then is refused again.
      await this.#backend.run(done.verb, done.args).catch(() => undefined);
    }
    this.#repeats = undefined;
  }
}

/** The store of a simulation: one primary after another, or two at the same time. */
export class SimulatedStore {
  readonly name = 'store';
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  #primary: Primary;
  /** During a split brain: the servers that still use the old primary. */
  #stranded: { readonly primary: Primary; readonly servers: ReadonlySet<string> } | undefined;
  readonly #primaries: Primary[] = [];
  #isReachable = true;
  /** When it last went away, lost data or came back: earlier promises no longer hold. */
  disturbedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    options: Omit<PrimaryOptions, 'epoch' | 'baseMs' | 'skewMs'>,
    random: SeededRandom,
    baseMs: number,
  ) {
    this.#timeline = options.timeline;
    this.#random = random;
    this.#primary = this.#kept(
      new Primary({ ...options, epoch: random.hex(8), baseMs, skewMs: 0 }),
    );
  }

  get isUp(): boolean {
    return this.#isReachable && this.#primary.isUp && !this.#primary.refusesWrites;
  }

  get isSplit(): boolean {
    return this.#stranded !== undefined;
  }

  /** The store as a server reaches it over the network. */
  connect(node: Node, network: Network): Store {
    const ask = (verb: Verb, args: readonly unknown[]) => this.#ask(node, network, verb, args);
    const verbs = [...WRITES, 'follow', 'continuity', 'snapshot'] as const;
    const entries = verbs.map((verb) => [verb, (...args: unknown[]) => ask(verb, args)]);
    return { ...Object.fromEntries(entries), close: async () => {} } as Store;
  }

  /** Makes the store unreachable, or reachable again with its data. */
  setReachable(isReachable: boolean): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#isReachable = isReachable;
    if (isReachable) return;
    for (const tell of this.#primary.callers) tell();
    this.#primary.callers.clear();
  }

  setWritable(isWritable: boolean): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#primary.refusesWrites = !isWritable;
  }

  /** Loses all data. */
  wipe(): void {
    this.#replace(new Primary({ ...this.#primary.options, epoch: this.#random.hex(8) }));
  }

  /** A replica takes over that lacks the last `lagMs`, and whose clock is off by `skewMs`. */
  failOver(lagMs: number, skewMs: number): void {
    this.#replace(this.#promoted(lagMs, skewMs));
  }

  /** A replica takes over, and some servers continue with the old primary. */
  split(lagMs: number, skewMs: number, servers: ReadonlySet<string>): void {
    const old = this.#primary;
    this.#primary = this.#kept(this.#promoted(lagMs, skewMs));
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#stranded = { primary: old, servers };
  }

  /** The split is detected: the old primary goes down and its writes are lost. */
  unite(): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#stranded?.primary.down();
    this.#stranded = undefined;
  }

  #promoted(lagMs: number, skewMs: number): Primary {
    return this.#primary.promoted(this.#timeline.nowMs - lagMs, skewMs, this.#random.hex(8));
  }

  #replace(primary: Primary): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    const old = this.#primary;
    this.#primary = this.#kept(primary);
    old.down();
  }

  /** Removes the data of its primaries from a real store. */
  async close(): Promise<void> {
    await Promise.all(this.#primaries.map((primary) => primary.close()));
  }

  #kept(primary: Primary): Primary {
    this.#primaries.push(primary);
    return primary;
  }

  #primaryOf(server: string): Primary {
    return this.#stranded?.servers.has(server) === true ? this.#stranded.primary : this.#primary;
  }

  #ask(node: Node, network: Network, verb: Verb, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const settle = (act: () => void) => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        up.close();
        down.close();
        act();
      };
      const fail = (why: string, Failure = StoreUnavailableError) => {
        node.after(0, () => settle(() => reject(new Failure(why))));
      };
      const up = network.pipe(node.name, this.name, () => fail('reset'));
      const down = network.pipe(this.name, node.name, () => fail('reset'));
      const timeoutMs = COMMAND_TIMEOUT_MS + (verb === 'follow' ? FOLLOW_MS : 0);
      const timer = node.after(timeoutMs, () => fail('timed out'));
      up.send(() => {
        const primary = this.#primaryOf(node.name);
        if (!this.#isReachable || !primary.isUp) {
          down.send(() => fail('refused'));
          return;
        }
        if (primary.refusesWrites && WRITES.has(verb)) {
          down.send(() => fail('writes are refused', StoreRefusalError));
          return;
        }
        const cut = () => down.send(() => fail('cut off'));
        primary.callers.add(cut);
        const finish = (act: () => void) => {
          primary.callers.delete(cut);
          down.send(() => node.after(0, () => settle(act)));
        };
        const run = async () => {
          try {
            const value = await primary.run(verb, args);
            finish(() => resolve(value));
          } catch (error: unknown) {
            finish(() => reject(error));
          }
        };
        void run();
      });
    });
  }
}
