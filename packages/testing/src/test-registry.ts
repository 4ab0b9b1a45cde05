import {
  type Endpoint,
  Rollcall,
  RollcallError,
  type RollcallOptions,
  type Runtime,
  type Service,
} from '@rollcall/client-sdk';
import { type ProblemCode, PROBLEMS } from '@rollcall/contract';
import { type Clock, systemRandom } from '@rollcall/runtime';
import { Activity } from './clock/activity.ts';
import { type Duration, durationMs } from './clock/duration.ts';
import { ManualTime, REAL_TIME, type TestTime } from './clock/test-time.ts';
import type { TestInstanceOptions } from './instance/instance-options.ts';
import { TestInstance } from './instance/test-instance.ts';
import { invalidOption } from './base/invalid-option.ts';
import { type ReadOptions, readOptions, type TestRegistryOptions } from './options.ts';
import { Gate, type Refusal } from './server/gate.ts';
import { ServerSlot } from './server/server-slot.ts';
import { endpointsUntil, type UntilOptions } from './until.ts';

/**
 * The real registry in this process, for tests: on a port of loopback that the system chooses, with a store in memory.
 * Any number of them run side by side. It needs no test runner.
 */
export class TestRegistry implements AsyncDisposable {
  readonly #options: ReadOptions;
  readonly #token: string | undefined;
  readonly #time: TestTime;
  readonly #activity: Activity;
  readonly #slot: ServerSlot;
  readonly #instances: TestInstance[] = [];
  readonly #clients = new Set<Rollcall>();
  readonly #counts = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #starting = new Set<Promise<unknown>>();
  #gate: Gate | undefined;
  /** The last change of the server's state: they follow one another. */
  #changed: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  private constructor(options: ReadOptions) {
    this.#options = options;
    this.#activity = new Activity();
    this.#time = options.clock === 'real' ? REAL_TIME : new ManualTime(this.#activity);
    const { tokens, logger, server } = options;
    this.#token = tokens.length === 0 ? undefined : systemRandom.hex(16);
    const all = this.#token === undefined ? [] : [...tokens, this.#token];
    const { clock } = this;
    this.#slot = new ServerSlot({
      options: server,
      tokens: all,
      token: this.#token,
      logger,
      clock,
    });
  }

  /**
   * Resolves once it answers. Rejects with a {@link RollcallError} `invalid_options` that names the option, or with a
   * `ConfigError` of the server.
   */
  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(readOptions(options));
    const { clock } = registry;
    const target = () => registry.#slot.url;
    try {
      await registry.#slot.start();
      registry.#gate = await Gate.start({ target, clock, activity: registry.#activity });
    } catch (error) {
      await registry.#slot.kill();
      throw error;
    }
    return registry;
  }

  /** Where clients reach it, e.g. `http://127.0.0.1:41234`; the same as long as it lives. */
  get url(): string {
    return this.#open.url;
  }

  /** Its time: `wallMs()` is what it takes for now. */
  get clock(): Clock {
    return this.#time.clock;
  }

  /** For clients that share its time: `new Rollcall({ url, runtime })`. Empty if that is the real one. */
  get runtime(): Partial<Runtime> {
    return this.#time.runtime;
  }

  /** A client of this registry, in its namespace and its time. It is closed with the registry. */
  client(options: Partial<RollcallOptions> = {}): Rollcall {
    this.#stopping.signal.throwIfAborted();
    const { runtime, ...rest } = options;
    const client = new Rollcall({
      url: this.url,
      namespace: this.#options.namespace,
      ...(this.#token === undefined ? {} : { token: this.#token }),
      ...rest,
      runtime: { ...this.runtime, ...runtime },
    });
    this.#clients.add(client);
    return client;
  }

  /**
   * Lets time pass: in ms, or as a text such as `30s`. Resolves once everything that fell due meanwhile is done: leases
   * have ended or were renewed, and clients in this process were told. Only with `clock: 'manual'`.
   */
  async turn(duration: Duration): Promise<void> {
    await this.#time.turn(durationMs(duration));
  }

  /** Starts a small HTTP server and puts it on the roll. It ends with the registry. */
  async addInstance(service: string, options: TestInstanceOptions = {}): Promise<TestInstance> {
    const count = (this.#counts.get(service) ?? 0) + 1;
    this.#counts.set(service, count);
    const { id = `${service}-${count}` } = options;
    const { signal } = this.#stopping;
    const starting = TestInstance.start(service, id, options, {
      registry: () => new URL(this.url),
      token: this.#token,
      namespace: this.#options.namespace,
      time: this.#time,
      activity: this.#activity,
      signal,
    });
    this.#starting.add(starting);
    try {
      const instance = await starting;
      this.#instances.push(instance);
      return instance;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** The endpoints of a service as the registry has them, whatever its clients can see. Empty while it is away. */
  endpoints(service: string, namespace = this.#options.namespace): Promise<readonly Endpoint[]> {
    return this.#slot.endpoints(namespace, service);
  }

  /**
   * Resolves with the endpoints of a service once the condition holds: as the registry has them, or, for a `Service` of
   * a client, as that client sees them. Rejects with what is there when `timeoutMs` have passed.
   */
  until(
    service: string | Service,
    holds: (endpoints: readonly Endpoint[]) => boolean,
    options: UntilOptions = {},
  ): Promise<readonly Endpoint[]> {
    const awaited =
      typeof service === 'string'
        ? { name: service, read: () => this.endpoints(service) }
        : { name: service.name, read: () => service.endpoints() };
    return endpointsUntil(awaited, holds, options);
  }

  /**
   * As if its process was killed: connections are refused, and open ones are cut. Its store stays as it is, and no
   * lease ends meanwhile, since nobody sweeps.
   */
  goAway(): Promise<void> {
    return this.#change(async () => {
      // First, so that no connection that is cut now looks like the death of an instance.
      const killed = this.#slot.kill();
      await this.#open.close();
      await killed;
    });
  }

  /** It is there again at the same port, with the roll that it had, or `empty`: its store lost everything. */
  async comeBack({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    await this.#appear(empty);
  }

  /** Every request waits this long before the registry gets it, by its clock; 0 = no longer. */
  slow(duration: Duration): void {
    this.#open.slow(durationMs(duration));
  }

  /**
   * Refuses the next `times` requests with a problem of the API, such as `overloaded`; heartbeats count too, unless
   * `method` or `path` leaves them out.
   */
  refuse(times: number, code: ProblemCode, only: Omit<Refusal, 'code'> = {}): void {
    if (!(code in PROBLEMS))
      throw invalidOption(
        `option code: expected a code of docs/errors.md, got ${JSON.stringify(code)}`,
        'code',
      );
    this.#open.refuse(times, { ...only, code });
  }

  /** Ends `slow` and `refuse`. */
  heal(): void {
    this.#open.heal();
  }

  /** Ends its instances, closes its clients, and leaves nothing open. May be called twice. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(new RollcallError('closed', 'the registry was stopped'));
    await Promise.allSettled(this.#starting);
    await Promise.all(this.#instances.map((instance) => instance.die()));
    this.heal();
    if (this.#clients.size > 0) {
      // Otherwise they would try for seconds to say goodbye.
      await this.#appear(false);
      await this.#time.finish(Promise.all([...this.#clients].map((client) => client.close())));
    }
    await this.goAway();
  }

  #appear(isEmpty: boolean): Promise<void> {
    return this.#change(async () => {
      if (this.#slot.isRunning) return;
      await this.#slot.start({ isEmpty });
      await this.#open.open();
    });
  }

  #change(work: () => Promise<void>): Promise<void> {
    const done = this.#changed.then(work);
    this.#changed = done.catch(() => undefined);
    return done;
  }

  get #open(): Gate {
    if (this.#gate === undefined) throw new Error('the registry has not started');
    return this.#gate;
  }
}
