import { InstancePatch, type Lease } from '@rollcall/contract';
import { pause, unlessAborted, within } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import { warnOfFault } from '../base/guard.ts';
import { parseOptions } from '../base/parse-options.ts';
import type {
  DrainOptions,
  LeaseState,
  Registration,
  RegistrationEvents,
} from '../api/registration.ts';
import { isGone, takenOff } from './departure.ts';
import { enrolInRounds } from './enrolment.ts';
import { leaveGracefully } from './graceful-leave.ts';
import type { LeaseHolder } from './lease-keeper.ts';
import type { Registrar } from './registrar.ts';
import {
  parseDrain,
  type RegistrationSpec,
  type ResolvedDrain,
  withPatch,
} from './registration-spec.ts';
import { type Served, setLeaving } from './leaving.ts';
import { Trouble } from '../base/trouble.ts';
import { RegistrationEmitter } from './registration-emitter.ts';
import { ServedRequests } from './served-requests.ts';

/** Longest random delay before an instance returns to a registry that forgot it, in ms. */
const RETURN_SPREAD_MS = 300;
/** How long to try a deregistration, in ms. */
const DEREGISTER_LIMIT_MS = 5_000;
/** How long to try a deregistration when the client is closing, in ms. */
const CLOSE_LIMIT_MS = 2_000;

/** Keeps one instance on the roll, from its first registration until it is released or superseded. */
export class InstanceRegistration implements Registration, LeaseHolder {
  readonly namespace: string;
  readonly service: string;
  readonly id: string;
  readonly #registrar: Registrar;
  readonly #events: RegistrationEmitter;
  readonly #leaving = new AbortController();
  readonly #drain: ResolvedDrain;
  readonly #onEnded: () => void;
  readonly #trouble: Trouble;
  /** What a drain on a signal waits for when the application gives no `whenIdle`. */
  readonly #served: ServedRequests | undefined;
  /** What a drain ends. */
  readonly #attached: Served[] = [];
  #body: RegistrationSpec['body'];
  #lease: Lease | undefined;
  #state: LeaseState = 'lost';
  #revision = '0';
  /** Number of the last write sent: the registry ignores a write that arrives after a later one. */
  #sequence = 0;
  #enrolling: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #departure: Promise<void> | undefined;
  #silence: RollcallError | undefined;

  /** `onEnded` is called once, when the registration is over. */
  constructor(registrar: Registrar, spec: RegistrationSpec, onEnded: () => void) {
    this.#registrar = registrar;
    this.namespace = spec.namespace;
    this.service = spec.service;
    this.id = spec.id;
    this.#events = new RegistrationEmitter(registrar.options.runtime, spec);
    this.#body = spec.body;
    this.#drain = spec.drain;
    this.#onEnded = onEnded;
    this.#trouble = new Trouble(registrar.options.runtime, `registering ${this.#label}`);
    setLeaving(this, {
      runtime: registrar.options.runtime,
      attach: (served) => void this.#attached.push(served),
    });
    if (spec.signals.length > 0) this.#served = new ServedRequests(spec.body.ports);
  }

  get state(): LeaseState {
    return this.#state;
  }

  get revision(): string {
    return this.#revision;
  }

  on<E extends keyof RegistrationEvents>(event: E, listener: RegistrationEvents[E]): () => void {
    return this.#events.on(event, listener);
  }

  /**
   * Registers for the first time, round after round. Rejects when trying again cannot help, and at once on abort;
   * {@link close} then undoes a registration that may have been sent.
   */
  enroll(signal?: AbortSignal): Promise<void> {
    this.#enrolling = this.#enrol(true);
    return unlessAborted(this.#enrolling, signal, () => this.#trouble.last);
  }

  setStatus(status: NonNullable<InstancePatch['status']>): Promise<void> {
    return this.update({ status });
  }

  async update(patch: InstancePatch): Promise<void> {
    const parsed = parseOptions(InstancePatch, patch);
    this.#throwIfOver();
    // A registration in progress may have been sent without the change.
    await this.#enrolling?.catch(() => undefined);
    this.#throwIfOver();
    const lease = this.#lease?.id;
    try {
      const reply = await this.#registrar.client.call('patchInstance', {
        params: this.#params,
        query: { lease },
        body: { ...parsed, sequence: ++this.#sequence },
      });
      this.#revision = reply.revision;
      this.#body = withPatch(this.#body, parsed);
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      await this.#onUpdateFailed(error, lease, parsed);
    }
  }

  async drain(options?: DrainOptions): Promise<void> {
    const resolved =
      options === undefined ? this.#drain : parseDrain({ ...this.#drain, ...options });
    if (this.#state === 'superseded' || this.#state === 'released') return;
    await (this.#draining ??= this.#leave(resolved));
  }

  async #leave(drain: ResolvedDrain): Promise<void> {
    this.#events.emit('draining');
    // Set in any case: if the instance registers again in between, it must register as draining.
    this.#body = withPatch(this.#body, { status: 'draining' });
    const leaving = {
      registrar: this.#registrar,
      params: this.#params,
      served: this.#attached,
      announce: () => this.setStatus('draining').then(() => this.#revision),
      whenIdle: () => this.#served?.whenIdle(),
      deregister: () => this.deregister(),
    };
    await leaveGracefully(leaving, drain);
  }

  deregister(): Promise<void> {
    return (this.#departure ??= this.#depart(DEREGISTER_LIMIT_MS));
  }

  async close(): Promise<void> {
    this.#departure ??= this.#depart(CLOSE_LIMIT_MS);
    await this.#departure.catch(() => undefined);
  }

  onRenewed(): void {
    if (this.#silence !== undefined) this.#state = 'held';
    this.#silence = undefined;
    this.#events.emit('renewed');
  }

  onSilent(error: RollcallError): void {
    this.#silence = error;
    this.#state = 'lost';
    this.#events.emit('lost', error);
  }

  onUnknown(lease: string): void {
    if (lease !== this.#lease?.id || this.#departure !== undefined) return;
    this.#registrar.dropLease(lease);
    this.#lease = undefined;
    const wasLost = this.#state === 'lost';
    this.#state = 'lost';
    if (!wasLost)
      this.#events.emit(
        'lost',
        new RollcallError('lease_unknown', 'the registry forgot the lease'),
      );
    this.#enrolling = this.#returnToRoll();
  }

  onSuperseded(lease: string): void {
    if (lease !== this.#lease?.id) return;
    this.#supersede(
      new RollcallError('superseded', `${this.#label} was taken over by a successor`),
    );
  }

  get #label(): string {
    return `instance ${this.id} of ${this.namespace}/${this.service}`;
  }

  get #params() {
    return { ns: this.namespace, svc: this.service, id: this.id };
  }

  /** Waits a jittered moment first, because the registry forgot all other instances too. Never rejects. */
  async #returnToRoll(): Promise<void> {
    const { runtime } = this.#registrar.options;
    try {
      await pause(runtime, RETURN_SPREAD_MS * runtime.random(), this.#leaving.signal);
      await this.#enrol(false);
    } catch (error) {
      // The instance is leaving; the departure does the rest.
      if (this.#leaving.signal.aborted) return;
      warnOfFault(runtime, `${this.#label} comes back`, error);
    }
  }

  #enrol(takeover: boolean): Promise<void> {
    const enrolling = {
      runtime: this.#registrar.options.runtime,
      label: this.#label,
      longestPauseMs: this.#body.ttlMs / 3,
      signal: this.#leaving.signal,
      send: () => this.#sendRegistration(takeover),
      superseded: (error: RollcallError) => this.#supersede(error),
      failed: (error: RollcallError, isRefusal: boolean) => {
        this.#trouble.note(error);
        if (isRefusal) this.#events.emit('lost', error);
      },
    };
    return enrolInRounds(enrolling, takeover);
  }

  async #sendRegistration(takeover: boolean): Promise<void> {
    const body = this.#body;
    const reply = await this.#registrar.client.call('register', {
      params: this.#params,
      query: { takeover },
      body: { ...body, sequence: ++this.#sequence },
    });
    this.#enter(reply, takeover);
    if (body !== this.#body) await this.#sendWhatChanged(reply.lease?.id);
  }

  #enter(reply: { lease: Lease | null; revision: string }, isFirst: boolean): void {
    if (reply.lease === null)
      throw new RollcallError('registry_garbled', 'the registry gave no lease');
    this.#lease = reply.lease;
    this.#revision = reply.revision;
    this.#state = 'held';
    this.#silence = undefined;
    this.#trouble.over();
    if (this.#departure === undefined) this.#registrar.keep(reply.lease, this);
    this.#events.enrolled(isFirst);
  }

  /** Sends changes of status, weight or labels that were made while the registration was in progress. */
  async #sendWhatChanged(lease: string | undefined): Promise<void> {
    const { status, weight, labels } = this.#body;
    const body = { status, weight, labels, sequence: ++this.#sequence };
    const call = { params: this.#params, query: { lease }, body };
    await this.#registrar.client.call('patchInstance', call).catch(() => undefined);
  }

  /** Drops a change that was refused or not answered: a later registration must not apply what the caller saw fail. */
  async #onUpdateFailed(
    error: RollcallError,
    lease: string | undefined,
    patch: InstancePatch,
  ): Promise<void> {
    if (error.code === 'lease_superseded') this.#supersede(error);
    else if (isGone(error) && lease !== undefined) {
      // The registry forgot the instance: the next registration carries the change.
      this.#body = withPatch(this.#body, patch);
      this.onUnknown(lease);
      await this.#enrolling;
      this.#throwIfOver();
      return;
    }
    throw error;
  }

  #supersede(error: RollcallError): void {
    if (this.#state === 'superseded' || this.#state === 'released') return;
    this.#end('superseded');
    if (!this.#events.hasListener('superseded'))
      this.#registrar.options.runtime.warn(
        `${this.#label} was taken over by another process with its id, and gets no calls any more: ${error.message}`,
      );
    this.#events.emit('superseded', error);
  }

  async #depart(limitMs: number): Promise<void> {
    this.#leaving.abort(new RollcallError('closed', 'the registration is leaving the roll'));
    // An earlier request may still put the instance on the roll.
    await within(this.#registrar.options.runtime, limitMs, Promise.resolve(this.#enrolling)).catch(
      () => undefined,
    );
    if (this.#state === 'superseded') return;
    if (this.#sequence === 0) return this.#end('released');
    const lease = this.#lease?.id;
    if (lease !== undefined) this.#registrar.silence(lease);
    // Without a lease, a request in progress may still put the instance on the roll: deregister it by its nonce.
    const sequence = ++this.#sequence;
    const query = lease === undefined ? { nonce: this.#body.nonce, sequence } : { lease, sequence };
    try {
      const revision = await takenOff(this.#registrar, { params: this.#params, query, limitMs });
      this.#revision = revision ?? this.#revision;
    } finally {
      this.#end('released');
      this.#events.emit('released');
    }
  }

  #end(state: 'superseded' | 'released'): void {
    this.#state = state;
    this.#leaving.abort(new RollcallError('superseded', 'the registration is over'));
    if (this.#lease !== undefined) this.#registrar.dropLease(this.#lease.id);
    this.#served?.close();
    this.#onEnded();
  }

  #throwIfOver(): void {
    if (this.#state !== 'superseded' && this.#state !== 'released') return;
    const code = this.#state === 'superseded' ? 'superseded' : 'closed';
    throw new RollcallError(code, `instance ${this.id} is ${this.#state}`);
  }
}
