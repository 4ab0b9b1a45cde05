import { Rollcall, type RollcallOptions, type Service } from '@rollcall/client-sdk';
import {
  type Bounds,
  checkHistory,
  type Happening,
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

/** An instance of a scene, in a process of its own. */
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
  /** A command that it is run by. @default none */
  readonly within?: readonly string[];
}

/** A system of real processes whose every step is told to a history, which is checked in the end. */
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

  /** Something to close with it, before its processes are ended. */
  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** An instance that is on the roll when this resolves. */
  async actor(instance: string, options: ActorOptions): Promise<Actor> {
    const actor = this.begin(instance, options);
    await actor.process.printed(/is on the roll/);
    return actor;
  }

  /** An instance that may not get on the roll yet. */
  begin(instance: string, { urls, env = {}, within = [] }: ActorOptions): Actor {
    const own = {
      WORKER_ID: instance,
      WORKER_SERVICE: SERVICE,
      WORKER_URLS: urls.join(','),
      WORKER_TTL_MS: `${this.#bounds.ttlMs}`,
    };
    const onLine = (line: string) => {
      if (line.startsWith('{')) this.history.add(JSON.parse(line) as Happening);
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

  /** The SDK's picture of the service, told to the history under a name. */
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
    await service.ready();
    const first = service.snapshot();
    if (last === '' && first !== undefined) tell(first);
    return service;
  }

  /** A reader of the stream itself. */
  rawWatch(name: string, urls: readonly string[]): void {
    this.#watchers.push(new RawWatcher(this.history, { name, service: SERVICE, urls }));
  }

  /** Chooses all the time without calling. */
  pick(caller: string, service: Service): void {
    this.#add(SceneCaller.ofPicks(this.history, service, caller));
  }

  /** Calls through the SDK, a share of them not to be repeated. */
  call(caller: string, service: Service, options: Partial<CallerOptions> = {}): SceneCaller {
    return this.#add(SceneCaller.ofService(this.history, service, { caller, ...options }));
  }

  /** Calls of one address, such as a balancer's; of several in turn, the next one when nobody listens. */
  callUrls(
    caller: string,
    urls: readonly string[],
    options: Partial<CallerOptions> = {},
  ): SceneCaller {
    return this.#add(SceneCaller.ofUrls(this.history, urls, { caller, ...options }));
  }

  /** Tells that something is broken; the function that it gives tells that it is whole again. */
  fault(name: string, ...breaks: readonly string[]): () => void {
    this.history.add({ kind: 'fault', what: 'begin', name, breaks, atMs: monotonicMs() });
    return () => this.history.add({ kind: 'fault', what: 'end', name, atMs: monotonicMs() });
  }

  /** A service whose picture has exactly these in use. */
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

  /** Goes on without faults for as long as the checker needs to see that pictures have converged. */
  async quiet(): Promise<void> {
    const { ttlMs, slackMs = 1_000, lagMs = 1_000 } = this.#bounds;
    const endMs = monotonicMs() + ttlMs / 3 + slackMs + lagMs + 50;
    await until(() => monotonicMs() > endMs, { withinMs: 60_000 });
  }

  /** Checks what has happened so far, and tells what was broken since a moment. */
  async check(fromMs = -Infinity): Promise<Verdict> {
    const nowMs = monotonicMs();
    await this.#told();
    const happenings = this.history.happenings.filter(({ atMs }) => atMs <= nowMs);
    return checkHistory(happenings, { ...this.#bounds, fromMs });
  }

  /** Checks it and throws when anything was broken. Prints the figures. */
  async verdict(title: string): Promise<Verdict> {
    const verdict = await this.check();
    console.log(`${title}: ${figuresText(verdict)}`);
    for (const one of this.history.happenings) {
      if (one.kind !== 'request' || one.failed === undefined) continue;
      console.log(`${one.isIdempotent ? 'GET' : 'POST'} by ${one.caller} failed: ${one.failed}`);
    }
    if (verdict.violations.length > 0) throw new Error(reportOf(verdict.violations));
    return verdict;
  }

  /** What instances tell comes through pipes, after their answers: waits for what was answered until now. */
  async #told(): Promise<void> {
    const missing = new Set(
      this.history.happenings.flatMap((one) =>
        one.kind === 'request' && one.serial !== undefined && one.failed === undefined
          ? [one.serial]
          : [],
      ),
    );
    let read = 0;
    const isAllTold = () => {
      const { happenings } = this.history;
      for (; read < happenings.length; read++) {
        const one = happenings[read];
        if (one?.kind === 'executed') missing.delete(one.serial);
      }
      return missing.size === 0;
    };
    // In vain is for the checker to say.
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
