import { ServiceReport } from '@rollcall/contract';
import type { z } from 'zod';
import type { ConnectionEvents, ConnectionState } from '../api/connection.ts';
import { type ResolvedOptions, resolveOptions, type RollcallOptions } from '../api/options.ts';
import type { RegisterOptions, Registration } from '../api/registration.ts';
import { RollcallError } from '../base/error.ts';
import { assertHost } from '../base/host-check.ts';
import { parseOptions } from '../base/parse-options.ts';
import { setOptionsOf } from '../registration/client-options.ts';
import { DepartureSignals } from '../registration/departure-signals.ts';
import { InstanceRegistration } from '../registration/instance-registration.ts';
import { Registrar } from '../registration/registrar.ts';
import { parseRegistration } from '../registration/registration-spec.ts';
import {
  type CallArguments,
  type CallName,
  type CallRequest,
  checkCall,
  type ReplyOf,
} from '../registry/call-request.ts';
import { Connection } from '../registry/connection.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { RegistryClient } from '../registry/registry-client.ts';

/**
 * A client of the registry that puts instances on the roll and calls the registry's API, and does not load what
 * looking up and calling services needs. It opens no connection before the first registration or call. Close it when
 * done.
 */
export class RegistrationClient {
  protected readonly options: ResolvedOptions;
  protected readonly api: RegistryApi;
  readonly #connection: Connection;
  readonly #registrar: Registrar;
  readonly #signals: DepartureSignals;
  readonly #registrations = new Set<InstanceRegistration>();
  #closed: Promise<void> | undefined;

  /** Throws a {@link RollcallError} `invalid_options` that names the option, or the unsupported host. */
  constructor(options: RollcallOptions) {
    assertHost(process.versions);
    this.options = resolveOptions(options);
    setOptionsOf(this, this.options);
    this.#connection = new Connection(this.options.url, this.options);
    this.api = new RegistryClient(this.options, this.#connection);
    this.#registrar = new Registrar(this.api, this.options);
    this.#signals = new DepartureSignals(this.options.runtime.signals);
  }

  /** Whether the registry answers. Pictures and calls go on when it does not. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls the listener whenever the registry begins or ceases to answer. Returns a function that unsubscribes. */
  on<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): () => void {
    return this.#connection.events.on(event, listener);
  }

  /**
   * Puts an instance on the roll and keeps it there until it is drained, deregistered or superseded. Resolves once it
   * is registered, however long the registry is unreachable. Rejects with a {@link RollcallError} at once when trying
   * again cannot help, or with the signal's reason.
   */
  async register(options: RegisterOptions): Promise<Registration> {
    this.throwIfClosed();
    const spec = parseRegistration(options, this.options);
    const registration = new InstanceRegistration(this.#registrar, spec, () => {
      this.#registrations.delete(registration);
      this.#signals.remove(registration);
    });
    if (options.onSuperseded !== undefined) registration.on('superseded', options.onSuperseded);
    this.#registrations.add(registration);
    try {
      await registration.enroll(options.signal);
    } catch (error) {
      void registration.close();
      throw error;
    }
    if (spec.signals.length > 0) this.#signals.add(spec.signals, registration);
    return registration;
  }

  /**
   * Reports the state of a declared service, as a data plane does. It replaces the previous report of the same reporter
   * and expires after `forMs` unless it is repeated.
   */
  async report(
    service: string,
    reporter: string,
    report: z.input<typeof ServiceReport>,
    options: { readonly namespace?: string; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { namespace = this.options.namespace, signal } = options;
    const params = { ns: namespace, svc: service, reporter };
    const body = parseOptions(ServiceReport, report);
    await this.call('putReport', { params, body, ...(signal === undefined ? {} : { signal }) });
  }

  /** Withdraws a {@link report}. */
  async withdrawReport(
    service: string,
    reporter: string,
    options: { readonly namespace?: string } = {},
  ): Promise<void> {
    const { namespace = this.options.namespace } = options;
    await this.call('deleteReport', { params: { ns: namespace, svc: service, reporter } });
  }

  /**
   * Calls the registry's API, at each URL in turn until one answers. Rejects with a {@link RollcallError}, or with the
   * signal's reason. For API calls that have no method of their own here.
   */
  async call<N extends CallName>(name: N, ...given: CallArguments<N>): Promise<ReplyOf<N>> {
    this.throwIfClosed();
    const [request = {} as CallRequest<N>] = given;
    checkCall(name, request);
    return this.api.call(name, request);
  }

  /** Takes its instances off the roll and ends all streams, timers and connections. Safe to call twice. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** Ends what a derived client opened, while the instances leave the roll. */
  protected async closeLookups(): Promise<void> {}

  protected throwIfClosed(): void {
    if (this.#closed !== undefined) throw new RollcallError('closed', 'the client was closed');
  }

  async #close(): Promise<void> {
    this.#signals.close();
    await Promise.all([
      ...[...this.#registrations].map((registration) => registration.close()),
      this.closeLookups(),
    ]);
    this.#registrar.close();
    await this.api.close();
  }
}
