import type { InstanceKey } from '@rollcall/contract';
import type { Supervisor } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import { SELF } from '../picture/instances/own-service.ts';
import type { Picture } from '../picture/picture.ts';
import { type ResourceRecord, SEEN } from '../store/record.ts';
import type { Store } from '../store/store.ts';

/** Drains that are seen within this time are reported by one write, in ms. */
const TOGETHER_MS = 5;

/** How many one write reports. */
const MOST = 100;

/** How long a report stays: longer than anybody waits for it, in ms. */
const FOR_MS = 60_000;

/** A server's report that all its watchers know of a drain. */
export interface SeenDrain {
  readonly instance: InstanceKey;
  readonly server: string;
  readonly revision: number;
}

/** Reads a report; undefined for any other resource. */
export function seenDrainOf({ key, value }: ResourceRecord): SeenDrain | undefined {
  if (!key.startsWith(SEEN)) return undefined;
  const [, namespace, service, id, server = ''] = key.split('/');
  return { instance: `${namespace}/${service}/${id}`, server, revision: Number(value) };
}

export interface SeenDrainsParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
}

/** Reports to the other servers, through the store, which drains all watchers of this server know of. */
export class SeenDrains {
  readonly #parts: SeenDrainsParts;
  readonly #due = new Map<InstanceKey, number>();
  /** Its instance id in the service of the registry servers; undefined = it is not on the roll yet. */
  #own: string | undefined;

  constructor(parts: SeenDrainsParts) {
    this.#parts = parts;
  }

  /** The server is on the roll under this id. */
  enter(own: string): void {
    this.#own = own;
  }

  /** The other servers. */
  others(): string[] {
    const { namespace, service } = SELF;
    const servers = this.#parts.picture.instancesOf(namespace, service);
    return [...servers.keys()].filter((id) => id !== this.#own);
  }

  /** All watchers of this server know of a drain. A server that is alone tells nobody. */
  report(instance: InstanceKey, revision: number): void {
    if (this.#own === undefined || this.others().length === 0) return;
    const isFirst = this.#due.size === 0;
    this.#due.set(instance, revision);
    if (!isFirst) return;
    const { clock, supervisor } = this.#parts;
    clock.after(TOGETHER_MS, () => void supervisor.run('drains', () => this.#write()));
  }

  /** If the store is away, whoever waits for it waits in vain, which is bounded. */
  async #write(): Promise<void> {
    const { store, picture } = this.#parts;
    const items = [...this.#due].map(([instance, revision]) => ({
      key: `${SEEN}${instance}/${this.#own}`,
      value: String(revision),
      forMs: FOR_MS,
      why: 'reported' as const,
    }));
    this.#due.clear();
    for (let i = 0; i < items.length; i += MOST)
      await store.put({ items: items.slice(i, i + MOST), floor: picture.revision });
  }
}
