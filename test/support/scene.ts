import { Rollcall, type RollcallOptions, type Service } from '@rollcall/client-sdk';
import {
  type Bounds,
  checkHistory,
  type HistoryEvent,
  History,
  reportOf,
  type TestProcess,
  until,
  type Verdict,
} from '@rollcall/testkit';
import { type CallerOptions, SceneCaller } from './caller.ts';
import { monotonicMs } from './monotonic.ts';
import { RawWatcher } from './raw-watcher.ts';
import { Stack } from './stack.ts';

const SERVICE = 'work';

/** An instance of a scene, in a separate process. */
export interface Actor {
  readonly instance: string;
  readonly process: TestProcess;
  kill(): void;
  stop(): void;
  continue(): void;
  /** Deregisters and ends. */
  leave(): Promise<void>;
}

export interface ActorOptions {
  readonly urls: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A command prefix to run it with. @default none */
  readonly within?: readonly string[];
}

/** A system of real processes that records every step in a history, which is checked at the end. */
export class Scene {
  readonly history = new History();
  readonly stack = new Stack();
  readonly #bounds: Bounds;
  readonly #callers: SceneCaller[] = [];
  readonly #watchers: RawWatcher[] = [];
  readonly #clients: Rollcall[] = [];
  readonly #closers: (() => unknown)[] = [];

  /** Instances hold leases of `bounds.ttlMs`. */
  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Registers something to close with the scene, before its processes are ended. */
  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Starts an instance; resolves when it is on the roll. */
  async actor(instance: string, options: ActorOptions): Promise<Actor> {
    const actor = this.begin(instance, options);
    await actor.process.printed(/is on the roll/);
    return actor;
  }

  /** Starts an instance that may not be on the roll yet. */
  begin(instance: string, { urls, env = {}, within = [] }: ActorOptions): Actor {
    const own = {
      WORKER_ID: instance,
      WORKER_SERVICE: SERVICE,
      WORKER_URLS: urls.join(','),
      WORKER_TTL_MS: `${this.#bounds.ttlMs}`,
    };
    const onLine = (line: string) => {
      if (line.startsWith('{')) this.history.add(JSON.parse(line) as HistoryEvent);
    };
    const child = this.stack.worker({ env: { ...own, ...env }, within, onLine });
    const tell = (what: 'killed' | 'stopped' | 'continued') => {
      const process = `${instance}-${child.pid}`;
      this.history.add({
        kind: 'process',
        service: SERVICE,
        instance,
        process,
        what,
        atMs: monotonicMs(),
      });
    };
    const signal = (name: NodeJS.Signals, what: 'killed' | 'stopped' | 'continued') => () => {
      tell(what);
      child.signal(name);
    };
    const leave = async () => void (await child.stop('SIGTERM'));
    return {
      instance,
      process: child,
      kill: signal('SIGKILL', 'killed'),
      stop: signal('SIGSTOP', 'stopped'),
      continue: signal('SIGCONT', 'continued'),
      leave,
    };
  }

  actors(names: readonly string[], options: ActorOptions): Promise<Actor[]> {
    return Promise.all(names.map((name) => this.actor(name, options)));
  }

  /** The SDK's picture of the service, recorded in the history under a name. */
  async watch(
    watcher: string,
    urls: readonly string[],
    options: Partial<RollcallOptions> = {},
  ): Promise<Service> {
    const client = new Rollcall({ url: [...urls], ...options });
    this.#clients.push(client);
    const service = client.service(SERVICE);
    let last = '';
    const tell = ({ revision, endpoints }: NonNullable<ReturnType<Service['snapshot']>>) => {
      const cause = last === '' ? 'snapshot' : revision === last ? 'grace' : 'change';
      last = revision;
      const named = endpoints.map(({ instance, tier }) => ({ instance, tier }));
      const own = { watcher, service: SERVICE, revision, cause } as const;
      this.history.add({ kind: 'seen', ...own, endpoints: named, atMs: monotonicMs() });
    };
    service.on('change', tell);
    await service.ready({ endpoints: 0 });
    const first = service.snapshot();
    if (last === '' && first !== undefined) tell(first);
    return service;
  }

  /** Starts a reader of the raw stream. */
  rawWatch(name: string, urls: readonly string[]): void {
    this.#watchers.push(new RawWatcher(this.history, { name, service: SERVICE, urls }));
  }

  /** Picks continuously without calling. */
  pick(caller: string, service: Service): void {
    this.#add(SceneCaller.ofPicks(this.history, service, caller));
  }

  /** Calls through the SDK; some of the calls must not be repeated. */
  call(caller: string, service: Service, options: Partial<CallerOptions> = {}): SceneCaller {
    return this.#add(SceneCaller.ofService(this.history, service, { caller, ...options }));
  }

  /** Calls one URL, such as a balancer's; with several, in turn, going on to the next when nothing listens. */
  callUrls(
    caller: string,
    urls: readonly string[],
    options: Partial<CallerOptions> = {},
  ): SceneCaller {
    return this.#add(SceneCaller.ofUrls(this.history, urls, { caller, ...options }));
  }

  /** Records the start of a fault; the returned function records its end. */
  fault(name: string, ...breaks: readonly string[]): () => void {
    this.history.add({ kind: 'fault', what: 'begin', name, breaks, atMs: monotonicMs() });
    return () => this.history.add({ kind: 'fault', what: 'end', name, atMs: monotonicMs() });
  }

  /** Waits until the picture uses exactly these instances. */
  inUse(service: Service, names: readonly string[], withinMs = 15_000): Promise<unknown> {
    const want = names.toSorted().join();
    const used = () =>
      service
        .endpoints()
        .filter(({ tier }) => tier === 0)
        .map(({ instance }) => instance)
        .toSorted()
        .join();
    return until(() => used() === want, { withinMs, what: `${want} in use` });
  }

  /** Waits, without faults, as long as the checker needs to see that pictures have converged. */
  async quiet(): Promise<void> {
    const { ttlMs, slackMs = 1_000, lagMs = 1_000 } = this.#bounds;
    const endMs = monotonicMs() + ttlMs / 3 + slackMs + lagMs + 50;
    await until(() => monotonicMs() > endMs, { withinMs: 60_000 });
  }

  /** Checks everything so far, and returns the violations since a moment. */
  async check(fromMs = -Infinity): Promise<Verdict> {
    const nowMs = monotonicMs();
    await this.#told();
    const events = this.history.events.filter(({ atMs }) => atMs <= nowMs);
    return checkHistory(events, { ...this.#bounds, fromMs });
  }

  /** Checks everything, prints the figures, and throws on a violation. */
  async verdict(title: string): Promise<Verdict> {
    const verdict = await this.check();
    console.log(`${title}: ${figuresText(verdict)}`);
    for (const one of this.history.events) {
      if (one.kind !== 'request' || one.failed === undefined) continue;
      console.log(`${one.isIdempotent ? 'GET' : 'POST'} by ${one.caller} failed: ${one.failed}`);
    }
    if (verdict.violations.length > 0) throw new Error(reportOf(verdict.violations));
    return verdict;
  }

  /** Reports of instances arrive through pipes, after their answers: waits for the reports of all answered requests. */
  async #told(): Promise<void> {
    const missing = new Set(
      this.history.events.flatMap((one) =>
        one.kind === 'request' && one.serial !== undefined && one.failed === undefined
          ? [one.serial]
          : [],
      ),
    );
    let read = 0;
    const isAllTold = () => {
      const { events } = this.history;
      for (; read < events.length; read++) {
        const one = events[read];
        if (one?.kind === 'executed') missing.delete(one.serial);
      }
      return missing.size === 0;
    };
    // If the wait fails, the checker reports it.
    await until(isAllTold, { withinMs: 5_000 }).catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.stop()));
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    await Promise.all(this.#clients.map((client) => client.close()));
    for (const close of this.#closers.splice(0).toReversed()) await close();
    await this.stack.close();
  }

  #add(caller: SceneCaller): SceneCaller {
    this.#callers.push(caller);
    return caller;
  }
}

/** The figures of a verdict in one line. */
function figuresText({ figures, violations }: Verdict): string {
  const { convergeMs, killToLastPickMs } = figures;
  const most = (all: readonly number[]) => (all.length === 0 ? '-' : Math.max(...all).toFixed(0));
  return [
    `false evictions ${figures.falseEvictions}`,
    `requests ${figures.requests}, failed ${figures.requestsFailed} (${figures.unrepeatableFailed} not to be repeated)`,
    `longest stale ${figures.longestStaleMs.toFixed(0)} ms`,
    `converged within ${most(convergeMs)} ms after ${convergeMs.length} faults`,
    `kill to last pick ${most(killToLastPickMs)} ms in ${killToLastPickMs.length} kills`,
    `violations ${violations.length}`,
  ].join('; ');
}
