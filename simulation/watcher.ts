import type { Rollcall, Service } from '@rollcall/client-sdk';
import type { Endpoint } from '@rollcall/contract';
import type { HistoryEvent } from '@rollcall/testkit';
import type { Node } from './node.ts';
import { SERVICE, type SimulationContext } from './simulation-context.ts';

type Seen = Extract<HistoryEvent, { kind: 'seen' }>;

const isKept = ({ reason }: Endpoint) => reason === 'not yet back on the roll of a new store';

/** Interval between picks, in ms. */
const PICK_MS = 100;

/** The service that a late watcher watches first; it has no instances. */
const ASIDE = 'aside';

/** When a late watcher starts to watch the service, in ms. */
const LATE_MS = 700;

/** A client that keeps a picture of the service and picks from it. */
export class Watcher {
  readonly name: string;
  readonly node: Node;
  readonly #world: SimulationContext;
  #service: Service | undefined;
  #epoch = '';
  #cause: Seen['cause'] = 'grace';
  #revision = '0';
  /** How often the store lost the history of its picture. */
  #lost = 0;

  /** `isLate`: its stream covers another service first and is extended later. */
  constructor(world: SimulationContext, name: string, isLate: boolean) {
    this.name = name;
    this.#world = world;
    const { node, rollcall } = world.client(name, {
      onAnswered: () => {},
      onEvent: (text) => this.#heard(text),
    });
    this.node = node;
    if (isLate) {
      rollcall.service(ASIDE);
      node.after(LATE_MS, () => this.#takeUp(rollcall));
    } else this.#takeUp(rollcall);
  }

  /** All endpoints in its picture. */
  get endpoints(): readonly Endpoint[] {
    return this.#service?.endpoints() ?? [];
  }

  /** Names of the instances in use. */
  used(): string[] {
    const used = this.endpoints.filter(({ tier }) => tier === 0);
    return used.map(({ instance }) => instance).toSorted();
  }

  #takeUp(rollcall: Rollcall): void {
    const service = rollcall.service(SERVICE);
    this.#service = service;
    service.on('change', () => this.#saw(service));
    this.#pickSoon(service);
  }

  #heard(text: string): void {
    const event = /^event: (\w+)$/m.exec(text)?.[1];
    this.#cause =
      event === 'snapshot' || event === 'change' ? event : event === undefined ? 'grace' : 'relist';
    const data = /^data: (.*)$/m.exec(text)?.[1];
    if (event !== 'snapshot' && event !== 'bookmark') return;
    this.#epoch = (JSON.parse(data ?? '{}') as { readonly epoch: string }).epoch;
  }

  #saw(service: Service): void {
    const snapshot = service.snapshot();
    if (snapshot === undefined) return;
    // A lower revision only follows when the store lost a history; from then on it is another one.
    if (this.#cause === 'snapshot' && BigInt(snapshot.revision) < BigInt(this.#revision))
      this.#lost++;
    this.#revision = snapshot.revision;
    const endpoints = snapshot.endpoints.map(({ instance, tier }) => ({ instance, tier }));
    this.#world.note(
      `${this.name} sees ${snapshot.revision} (${this.#cause}) ${endpoints.map(({ instance, tier }) => `${instance}:${tier}`).join(' ')}`,
    );
    this.#world.tell({
      kind: 'seen',
      atMs: this.#world.nowMs,
      watcher: this.name,
      service: SERVICE,
      revision: snapshot.revision,
      epoch: `${this.#epoch}/${this.#lost}`,
      // Instances that a new store does not know yet are kept by the client alone.
      cause: snapshot.endpoints.some(isKept) ? 'grace' : this.#cause,
      endpoints,
    });
  }

  #pickSoon(service: Service): void {
    this.node.after(PICK_MS, () => {
      const picked = service.pick();
      if (picked.kind === 'picked') {
        const { instance, tier } = picked.endpoint;
        const isUp = this.#world.isUp(instance);
        picked.done(isUp ? 'ok' : 'connect_failed');
        // A doubtful instance is picked when no other is left, and may be dead: do not judge it.
        const pick = {
          kind: 'pick',
          atMs: this.#world.nowMs,
          caller: this.name,
          instance,
        } as const;
        if (tier === 0) this.#world.tell(pick);
      }
      this.#pickSoon(service);
    });
  }
}
