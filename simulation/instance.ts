import type { Registration, Rollcall } from '@rollcall/client-sdk';
import type { RenewReply } from '@rollcall/contract';
import type { Happening } from '@rollcall/testkit';
import type { Node } from './node.ts';
import type { Answered } from './registry-api.ts';
import { SERVICE, type Surroundings } from './surroundings.ts';

/** What the history calls what a call was answered with. */
const EFFECTS = { register: 'granted', patchInstance: 'changed', deregister: 'released' } as const;

/** A process that is, or wants to be, an instance. */
export class Instance {
  readonly id: string;
  readonly node: Node;
  readonly process: string;
  readonly #world: Surroundings;
  readonly #rollcall: Rollcall;
  #registration: Registration | undefined;
  #nonce = '';
  #lease = '';
  #hasReleased = false;
  #isLeaving = false;
  /** It was told that a successor has its place. */
  isSuperseded = false;

  constructor(world: Surroundings, id: string) {
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

  /** Dies; `isSilent`: with the whole machine, so that nobody is told. */
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

  /** Says so to others: another status for a while. */
  change(weight: number): void {
    void this.#registration?.update({ weight }).catch(() => {});
  }

  /** Leaves the roll and ends. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#rollcall.close();
    if (this.node.isDead) return;
    this.node.kill();
    this.#tellProcess(this.#hasReleased ? 'left' : 'killed');
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
      // As a process does that is told so; its successor has the place.
      this.node.kill();
      this.#tellProcess('stopped');
    });
  }

  #tellProcess(what: Extract<Happening, { kind: 'process' }>['what']): void {
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
    const lease = String(request.query?.['lease'] ?? this.#lease);
    this.#world.tell({ ...call, lease, what: EFFECTS[name], nonce: this.#nonce });
  }
}
