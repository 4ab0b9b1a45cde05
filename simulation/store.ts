import {
  type Clock,
  MemoryStore,
  type Store,
  StoreUnavailableError,
} from '@rollcall/registry-server/testing';
import type { Network } from './network.ts';
import type { Node } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

type Verb = Exclude<keyof Store, 'close'>;

/** What a command may take, in ms, as in the product. */
const COMMAND_TIMEOUT_MS = 2_000;
const FOLLOW_MS = 500;

const WRITES: ReadonlySet<Verb> = new Set([
  'grant',
  'renew',
  'hold',
  'suspect',
  'update',
  'revoke',
  'expire',
  'put',
  'remove',
  'restore',
]);

/** A command that a primary carried out, as its replicas get to hear of it. */
interface Journaled {
  readonly atMs: number;
  readonly storeMs: number;
  readonly runId: string;
  readonly verb: Verb;
  readonly args: readonly unknown[];
}

export interface PrimaryOptions {
  readonly timeline: Timeline;
  readonly epoch: string;
  readonly logLength: number;
  readonly guardMs: number;
  /** How far its clock is off, in ms. */
  readonly skewMs: number;
  readonly baseMs: number;
}

let runs = 0;

/** A store that takes writes, and can be copied as it was a moment ago. */
class Primary {
  readonly options: PrimaryOptions;
  readonly store: MemoryStore;
  readonly journal: Journaled[] = [];
  readonly #runId: string;
  readonly #timeline: Timeline;
  /** Whose commands it repeats, while it does. */
  #repeats: { readonly storeMs: number; readonly runId: string } | undefined;
  isUp = true;
  refusesWrites = false;
  /** Calls under way: told when it goes down. */
  readonly callers = new Set<() => void>();

  constructor(options: PrimaryOptions) {
    this.options = options;
    this.#timeline = options.timeline;
    const { epoch, logLength, guardMs } = options;
    this.#runId = `run-${++runs}`;
    const runId = () => this.#repeats?.runId ?? this.#runId;
    this.store = new MemoryStore({ clock: this.#clock(), epoch, logLength, guardMs, runId });
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
    return this.#do(verb, args);
  }

  /** A replica that had heard of everything up to a moment becomes a primary, with a clock of its own. */
  promoted(upToMs: number, skewMs: number): Primary {
    const heir = new Primary({ ...this.options, skewMs });
    for (const done of this.journal) {
      if (done.atMs > upToMs) break;
      heir.#repeats = done;
      heir.journal.push(done);
      void heir.#do(done.verb, done.args);
    }
    heir.#repeats = undefined;
    return heir;
  }

  /** Cuts off who waits for an answer. */
  down(): void {
    this.isUp = false;
    for (const tell of this.callers) tell();
    this.callers.clear();
  }

  // The memory driver carries a write out before it first waits for anything, as a script does.
  #do(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    const method = this.store[verb] as (...given: readonly unknown[]) => Promise<unknown>;
    return method.apply(this.store, args as unknown[]);
  }

  #clock(): Clock {
    const timeline = this.#timeline;
    return {
      wallMs: () => this.nowMs,
      monotonicMs: () => timeline.nowMs,
      after: (ms, call) => {
        const planned = timeline.plan(ms, call);
        return { cancel: () => void (planned.act = undefined) };
      },
      every: () => ({ cancel() {} }),
    };
  }
}

/** The store of a simulation: one primary after the other, or two at a time. */
export class SimulatedStore {
  readonly name = 'store';
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  #primary: Primary;
  /** During a split brain: who of the servers is left with the old primary. */
  #stranded: { readonly primary: Primary; readonly servers: ReadonlySet<string> } | undefined;
  #isReachable = true;
  /** When it last went away, forgot something or came back: what was promised before is void. */
  disturbedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    options: Omit<PrimaryOptions, 'epoch' | 'baseMs' | 'skewMs'>,
    random: SeededRandom,
    baseMs: number,
  ) {
    this.#timeline = options.timeline;
    this.#random = random;
    this.#primary = new Primary({ ...options, epoch: random.hex(8), baseMs, skewMs: 0 });
  }

  /** What the store has, for checks at the end. */
  get truth(): MemoryStore {
    return this.#primary.store;
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

  /** Goes away and comes back with what it had. */
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

  /** Forgets everything. */
  wipe(): void {
    this.#replace(new Primary({ ...this.#primary.options, epoch: this.#random.hex(8) }));
  }

  /** A replica takes over that lacks the last `lagMs`, and whose clock is off by `skewMs`. */
  failOver(lagMs: number, skewMs: number): void {
    this.#replace(this.#primary.promoted(this.#timeline.nowMs - lagMs, skewMs));
  }

  /** A replica takes over, and some servers go on with the old primary. */
  split(lagMs: number, skewMs: number, servers: ReadonlySet<string>): void {
    const old = this.#primary;
    this.#primary = old.promoted(this.#timeline.nowMs - lagMs, skewMs);
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#stranded = { primary: old, servers };
  }

  /** The old primary is found out and its writes are lost. */
  unite(): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    this.#stranded?.primary.down();
    this.#stranded = undefined;
  }

  #replace(primary: Primary): void {
    this.disturbedAtMs = this.#timeline.nowMs;
    const old = this.#primary;
    this.#primary = primary;
    old.down();
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
      const fail = (why: string) => {
        node.after(0, () => settle(() => reject(new StoreUnavailableError(why))));
      };
      const up = network.pipe(node.name, this.name, () => fail('reset'));
      const down = network.pipe(this.name, node.name, () => fail('reset'));
      const timeoutMs = COMMAND_TIMEOUT_MS + (verb === 'follow' ? FOLLOW_MS : 0);
      const timer = node.after(timeoutMs, () => fail('timed out'));
      up.send(() => {
        const primary = this.#primaryOf(node.name);
        const isRefused = primary.refusesWrites && WRITES.has(verb);
        if (!this.#isReachable || !primary.isUp || isRefused) {
          down.send(() => fail('refused'));
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
