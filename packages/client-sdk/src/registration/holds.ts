import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import type { Timer } from '@rollcall/runtime';
import { LiveStream, type StreamSession } from '../stream/live-stream.ts';
import { type HoldListener, HoldPlan } from './hold-plan.ts';

/** Maximum number of leases on one connection: the URL contains their ids. */
const MAX_LEASES = 100;

/** How long to collect new leases before opening a new connection for them, in ms. */
const GATHER_MS = 5;

interface Hold {
  readonly plan: HoldPlan;
  readonly stream: LiveStream<StreamSession>;
  gathering: Timer | undefined;
}

/** Binds leases to open connections, so that the registry notices at once when this process dies. */
export class Holds {
  readonly #client: RegistryApi;
  readonly #options: ResolvedOptions;
  readonly #listener: HoldListener;
  readonly #holds: Hold[] = [];

  constructor(client: RegistryApi, options: ResolvedOptions, listener: HoldListener) {
    this.#client = client;
    this.#options = options;
    this.#listener = listener;
  }

  add(lease: string): void {
    const hold = this.#holds.find(({ plan }) => plan.leases.size < MAX_LEASES) ?? this.#open();
    hold.plan.leases.add(lease);
    const onGathered = () => {
      hold.gathering = undefined;
      hold.stream.reconcile();
    };
    hold.gathering ??= this.#options.runtime.after(GATHER_MS, onGathered, { keepsAlive: true });
  }

  /** Releases a lease that has ended. The connection stays open while other leases use it; this does no harm. */
  remove(lease: string): void {
    const hold = this.#holds.find(({ plan }) => plan.leases.delete(lease));
    if (hold === undefined || hold.plan.leases.size > 0) return;
    this.#holds.splice(this.#holds.indexOf(hold), 1);
    end(hold);
  }

  close(): void {
    for (const hold of this.#holds.splice(0)) end(hold);
  }

  #open(): Hold {
    const plan = new HoldPlan(this.#listener);
    const stream = new LiveStream(this.#client, this.#options, plan);
    const hold = { plan, stream, gathering: undefined };
    this.#holds.push(hold);
    return hold;
  }
}

function end(hold: Hold): void {
  hold.gathering?.cancel();
  hold.stream.close();
}
