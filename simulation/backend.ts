import {
  type Clock,
  MemoryStore,
  type SteeredRedis,
  type Store,
} from '@rollcall/registry-server/testing';
import type { Timeline } from './timeline.ts';

export type Verb = Exclude<keyof Store, 'close'>;

export const WRITES: ReadonlySet<Verb> = new Set([
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

/** How long `follow` waits for an entry, in ms; the same as in the product. */
export const FOLLOW_MS = 500;

interface BackendOptions {
  readonly timeline: Timeline;
  readonly epoch: string;
  readonly logLength: number;
  readonly guardMs: number;
  /** The wall clock of the store, in Unix ms. */
  readonly nowMs: () => number;
  /** Id of the process that runs the store. */
  readonly runId: () => string;
}

/** The store driver of a simulated primary. */
export interface Backend {
  /** Runs one store command without using virtual time; only `follow` waits. */
  run(verb: Verb, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

export type OpenBackend = (options: BackendOptions) => Backend;

const call = (store: Store, verb: Verb, args: readonly unknown[]): Promise<unknown> =>
  (store[verb] as (...given: readonly unknown[]) => Promise<unknown>).apply(
    store,
    args as unknown[],
  );

/** The memory driver: fast, so that many seeds can run. */
export const openMemory: OpenBackend = ({ timeline, nowMs, ...options }) => {
  const clock: Clock = {
    wallMs: nowMs,
    monotonicMs: () => timeline.nowMs,
    after: (ms, act) => {
      const planned = timeline.plan(ms, act);
      return { cancel: () => void (planned.act = undefined) };
    },
    every: () => ({ cancel() {} }),
  };
  const store = new MemoryStore({ ...options, clock });
  return { run: (verb, args) => call(store, verb, args), close: async () => {} };
};

/**
 * The Redis driver with its Lua, on a real Redis whose clock the simulation sets. Virtual time stands still while a
 * command runs, so a seed always has the same course.
 */
export const openRedis =
  (redis: SteeredRedis): OpenBackend =>
  ({ timeline, nowMs, runId, epoch, ...options }) => {
    let epochs = 0;
    // An emptied partition creates another epoch.
    const makeEpoch = () => `${epoch}-${epochs++}`;
    const steered = redis.open({ ...options, makeEpoch, followWaitMs: 0 });
    let wakeFollowers: (() => void)[] = [];

    const run = (verb: Verb, args: readonly unknown[]) =>
      timeline.outside(async () => {
        // Not awaited: Redis runs the commands of a connection in the order in which they were sent.
        void steered.steer(nowMs(), runId());
        const outcome = await call(steered.store, verb, args);
        if (WRITES.has(verb)) for (const wake of wakeFollowers.splice(0)) wake();
        return outcome;
      });
    const written = () =>
      new Promise<void>((resolve) => {
        const timer = timeline.plan(FOLLOW_MS, () => {
          wakeFollowers = wakeFollowers.filter((one) => one !== wake);
          resolve();
        });
        const wake = () => {
          timer.act = undefined;
          resolve();
        };
        wakeFollowers.push(wake);
      });
    const follow = async (args: readonly unknown[]): Promise<unknown> => {
      const endMs = timeline.nowMs + FOLLOW_MS;
      for (;;) {
        const page = (await run('follow', args)) as { readonly entries: readonly unknown[] };
        if (page.entries.length > 0 || timeline.nowMs >= endMs) return page;
        await written();
      }
    };
    return {
      run: (verb, args) => (verb === 'follow' ? follow(args) : run(verb, args)),
      close: () => steered.clear(),
    };
  };
