import type { Registration, Rollcall } from '@rollcall/client-sdk';
import type { RenewReply } from '@rollcall/contract';
import type { HistoryEvent } from '@rollcall/testkit';
import type { Node } from './node.ts';
import type { Answered } from './registry-transport.ts';
import { SERVICE, type SimulationContext } from './simulation-context.ts';

/** The history's names for the effects of API calls. */
const EFFECTS = { register: 'granted', patchInstance: 'changed', deregister: 'released' } as const;

/** A process that is, or tries to be, an instance. */
export class Instance {
  readonly id: string;
  readonly node: Node;
  readonly process: string;
  readonly #world: SimulationContext;
  readonly #rollcall: Rollcall;
  #registration: Registration | undefined;
  #nonce = '';
  #lease = '';
  #hasReleased = false;
  #isLeaving = false;
  /** The process has learned that a successor has its place. */
  isSuperseded = false;

  constructor(world: SimulationContext, id: string) {
    this.id = id;
    this.process = `${id}/${world.nextProcess()}`;
    this.#world = world;
    const { node, rollcall } = world.client(`instance-${id}`, {
      onAnswered: (answered) => this.#told(answered),
      onEvent: () => {},
    });
    this.node = node;
    this.#rollcall = rollcall;
    this.#tellProcess('started');
    void this.#enrol();
  }

  get isLive(): boolean {
    return !this.node.isDead && !this.node.isStopped && !this.#isLeaving && !this.isSuperseded;
  }

  /** Kills the process; `isSilent`: together with its machine, so that its peers learn nothing. */
  kill(isSilent = false): void {
    if (this.node.isDead) return;
    const wasStopped = this.node.isStopped;
    this.node.kill(isSilent);
    if (!wasStopped) this.#tellProcess(isSilent ? 'stopped' : 'killed');
  }

  stop(): void {
    this.node.stop();
    this.#tellProcess('stopped');
  }

  continue(): void {
    if (this.node.isDead) return;
    this.node.continue();
    this.#tellProcess('continued');
  }

  /** Updates its weight, so that watchers get a change. */
  change(weight: number): void {
    void this.#registration?.update({ weight }).catch(() => {});
  }

  /** Leaves the roll and ends the process. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const sinceMs = this.#world.nowMs;
    await this.#rollcall.close();
    if (this.node.isDead) return;
    this.node.kill();
    if (!this.#hasReleased) this.#tellUnanswered(sinceMs);
    this.#tellProcess(this.#hasReleased ? 'left' : 'killed');
  }

  /** It asked to leave and got no answer: since then it may be off the roll, or not. */
  #tellUnanswered(sinceMs: number): void {
    const name = `${this.process} leaves without an answer`;
    const breaks = [this.id];
    this.#world.tell(
      { kind: 'fault', atMs: sinceMs, what: 'begin', name, breaks },
      { kind: 'fault', atMs: this.#world.nowMs, what: 'end', name },
    );
  }

  async #enrol(): Promise<void> {
    const { ttlMs } = this.#world;
    const port = 3_000;
    const registration = await this.#rollcall
      .register({ service: SERVICE, id: this.id, address: '10.0.0.1', port, ttlMs })
      .catch(() => undefined);
    this.#registration = registration;
    registration?.on('superseded', () => {
      this.isSuperseded = true;
      this.#world.note(`${this.process} superseded`);
      // A superseded process ends itself; its successor has the place.
      this.node.kill();
      this.#tellProcess('stopped');
    });
  }

  #tellProcess(what: Extract<HistoryEvent, { kind: 'process' }>['what']): void {
    const { process, id: instance } = this;
    const atMs = this.#world.nowMs;
    this.#world.note(`${process} ${what}`);
    this.#world.tell({ kind: 'process', service: SERVICE, instance, process, what, atMs });
  }

  #told({ name, request, sentMs, reply }: Answered): void {
    if (reply.status >= 300) return;
    const { id: instance } = this;
    const { ttlMs } = this.#world;
    const call = {
      kind: 'lease',
      instance,
      ttlMs,
      invokedMs: sentMs,
      atMs: this.#world.nowMs,
    } as const;
    if (name === 'renew') {
      const { leases } = request.body as { readonly leases: readonly string[] };
      const { unknown, superseded } = reply.body as RenewReply;
      for (const lease of leases) {
        const isUnknown = unknown.includes(lease);
        const what = isUnknown ? 'unknown' : superseded.includes(lease) ? 'superseded' : 'renewed';
        this.#world.tell({ ...call, lease, what, nonce: this.#nonce });
      }
      return;
    }
    if (name !== 'register' && name !== 'deregister' && name !== 'patchInstance') return;
    if (name === 'register') {
      this.#nonce = (request.body as { readonly nonce: string }).nonce;
      this.#lease = (reply.body as { readonly lease: { readonly id: string } }).lease.id;
    }
    if (name === 'deregister') this.#hasReleased = true;
    const { lease = this.#lease } = (request.query ?? {}) as { readonly lease?: string };
    this.#world.tell({ ...call, lease, what: EFFECTS[name], nonce: this.#nonce });
  }
}
