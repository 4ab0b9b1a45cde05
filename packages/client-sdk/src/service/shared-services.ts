import type { Runtime } from '../base/runtime.ts';
import type { Timer } from '@rollcall/runtime';
import type { LiveService } from './live-service.ts';
import { ServiceHandle } from './service-handle.ts';

/** How often services are looked at that only names asked for, in ms. */
const LOOK_MS = 60_000;
/** Looks in a row that find no call on such a service before it is forgotten. */
const IDLE_LOOKS = 5;
/** Such services at most; the one that was asked for first makes room. */
const MAX_ASKED = 1_000;

interface Shared {
  readonly service: LiveService;
  /** Handles that are open. */
  users: number;
  /** Asked for by name, by a dispatcher that nobody closes. */
  isAsked: boolean;
  calls: number;
  idleLooks: number;
}

/**
 * The live services of a client by key. Those who hold a handle share one, and it goes with the last of them; one that
 * was asked for by name goes once nobody has called it for a while, since names can come from anywhere.
 */
export class SharedServices {
  readonly #runtime: Runtime;
  readonly #shared = new Map<string, Shared>();
  #look: Timer | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#shared.size;
  }

  hold(key: string, create: () => LiveService): ServiceHandle {
    const shared = this.#get(key, create);
    shared.users++;
    return new ServiceHandle(shared.service, async () => {
      shared.users--;
      if (shared.users === 0 && !shared.isAsked) await this.#close(key, shared);
    });
  }

  ask(key: string, create: () => LiveService): LiveService {
    const shared = this.#get(key, create);
    if (shared.isAsked) return shared.service;
    this.#makeRoom();
    shared.isAsked = true;
    this.#look ??= this.#runtime.after(LOOK_MS, () => this.#lookAtAsked());
    return shared.service;
  }

  async close(): Promise<void> {
    this.#look?.cancel();
    await Promise.all([...this.#shared].map(([key, shared]) => this.#close(key, shared)));
  }

  #get(key: string, create: () => LiveService): Shared {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const shared = { service: create(), users: 0, isAsked: false, calls: 0, idleLooks: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #close(key: string, shared: Shared): Promise<void> {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    return shared.service.close();
  }

  #lookAtAsked(): void {
    this.#look = undefined;
    let left = 0;
    for (const [key, shared] of this.#shared) {
      if (!shared.isAsked) continue;
      const { calls, inFlight } = shared.service.stats();
      const isIdle = calls === shared.calls && inFlight === 0;
      shared.calls = calls;
      shared.idleLooks = isIdle ? shared.idleLooks + 1 : 0;
      if (shared.idleLooks >= IDLE_LOOKS) this.#forget(key, shared);
      else left++;
    }
    if (left > 0) this.#look = this.#runtime.after(LOOK_MS, () => this.#lookAtAsked());
  }

  #makeRoom(): void {
    const asked = [...this.#shared].filter(([, { isAsked }]) => isAsked);
    if (asked.length < MAX_ASKED) return;
    const [key, shared] =
      asked.find(([, { service }]) => service.stats().inFlight === 0) ?? asked[0]!;
    this.#forget(key, shared);
  }

  /** Whoever holds a handle keeps it; closing is not waited for. */
  #forget(key: string, shared: Shared): void {
    shared.isAsked = false;
    shared.idleLooks = 0;
    if (shared.users > 0) return;
    this.#close(key, shared).catch((error: unknown) =>
      this.#runtime.warn(`closing service ${shared.service.label} failed`, error),
    );
  }
}
