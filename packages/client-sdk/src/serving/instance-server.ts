import type { RegisterOptions, Registration } from '../api/registration.ts';
import { RollcallError } from '../base/error.ts';
import type { Runtime } from '../base/runtime.ts';
import { optionsOf } from '../registration/client-options.ts';
import { DepartureSignals } from '../registration/departure-signals.ts';
import { type Drained, DrainableServer } from './drainable-server.ts';
import type { HttpServer } from './http-ending.ts';
import {
  type InstanceOptions,
  parseInstance,
  type ResolvedInstance,
  withPort,
} from './instance-options.ts';
import { portOf } from './listening.ts';
import { ReadinessWatch } from './readiness.ts';
import { Stop } from './stop.ts';

/** The part of a client that is used here. */
export interface Registering {
  register(options: RegisterOptions): Promise<Registration>;
}

/** What closes more than its server when the instance leaves on a signal. */
export interface Application {
  close(): Promise<unknown>;
}

/** A server that is on the roll from when it listens until it is drained. */
export class InstanceServer {
  /** Rejects when the registry refuses, when the server cannot listen, and when the instance leaves before. */
  readonly registered: Promise<Registration>;
  /** Rejects when it was never registered, unless it was asked to leave. */
  readonly drained: Promise<Drained>;
  readonly #client: Registering;
  readonly #runtime: Runtime;
  readonly #server: HttpServer;
  readonly #options: ResolvedInstance;
  readonly #drainable: DrainableServer;
  readonly #application: Application | undefined;
  readonly #departures: DepartureSignals;
  readonly #leaving = new AbortController();
  #stop: Stop | undefined;
  #registration: Registration | undefined;

  /**
   * Best created before the server listens. With an application, a signal also closes it and then ends the process as
   * it would have without us, unless the application listens to it too. Throws a {@link RollcallError}
   * `invalid_options` that names the option.
   */
  constructor(
    client: Registering,
    server: HttpServer,
    options: InstanceOptions,
    application?: Application,
  ) {
    const clientOptions = optionsOf(client);
    this.#client = client;
    this.#runtime = clientOptions.runtime;
    this.#server = server;
    this.#options = parseInstance(options, clientOptions);
    this.#application = application;
    this.#departures = new DepartureSignals(this.#runtime.signals);
    this.#drainable = new DrainableServer(server, this.#runtime, this.#options.drain);
    this.registered = this.#register();
    this.drained = this.#serve();
    // Nobody has to wait for them.
    this.registered.catch(() => undefined);
    this.drained.catch(() => undefined);
  }

  /** Lets the instance leave, whatever its state: see {@link drained}. */
  drain(): Promise<Drained> {
    const reason = new RollcallError('closed', 'the instance left before it was registered');
    this.#leaving.abort(reason);
    return this.drained;
  }

  async #register(): Promise<Registration> {
    const { drain, readiness, registration: given, onRegistered } = this.#options;
    const { signal } = this.#leaving;
    const port = await portOf(this.#server, signal);
    this.#heed(drain);
    this.#server.once('close', () => this.#onClosed());
    const status = readiness === undefined ? {} : ({ status: 'starting' } as const);
    const options = { ...withPort(given, port), ...status, signal };
    const registration = await this.#client.register(options);
    this.#registration = registration;
    try {
      onRegistered?.(registration);
    } catch (error) {
      this.#runtime.warn(`onRegistered threw: ${String(error)}`, error);
    }
    return registration;
  }

  #heed({ signals, signal }: ResolvedInstance['drain']): void {
    const application = this.#application;
    this.#stop = new Stop(this.#runtime.signals, application === undefined ? signals : [], signal);
    const leave = async () => {
      await this.drain().catch(() => undefined);
      try {
        await application?.close();
      } catch (error) {
        this.#runtime.warn(`closing the application failed: ${String(error)}`, error);
      }
    };
    void this.#stop.asked.then(leave);
    if (application !== undefined) this.#departures.add(signals, { drain: leave });
  }

  /** Closed by the application: calls would only fail, so it leaves without announcing it first. */
  #onClosed(): void {
    if (this.#registration === undefined) void this.drain().catch(() => undefined);
    else void this.#registration.deregister().catch(() => undefined);
  }

  async #serve(): Promise<Drained> {
    try {
      const registration = await this.registered.catch((error: unknown) => {
        if (!this.#leaving.signal.aborted) throw error;
        return undefined;
      });
      if (registration === undefined) return await this.#endUnregistered();
      this.#watch(registration);
      return await this.#drainable.serve(registration, abortOf(this.#leaving.signal));
    } finally {
      this.#stop?.close();
      this.#departures.close();
    }
  }

  async #endUnregistered(): Promise<Drained> {
    if (this.#server.listening) await this.#drainable.end();
    else this.#drainable.drop();
    return { cutOff: this.#drainable.cutOff, isDeregistered: true };
  }

  #watch(registration: Registration): void {
    const { readiness, readinessIntervalMs, readinessTimeoutMs } = this.#options;
    if (readiness === undefined) return;
    const timing = { intervalMs: readinessIntervalMs, timeoutMs: readinessTimeoutMs };
    void new ReadinessWatch(this.#runtime, registration, { readiness, ...timing }).run();
  }
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
