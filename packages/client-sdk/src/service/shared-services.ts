import type { CallLimits } from '../api/call-settings.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Timer } from '@rollcall/runtime';
import type { LiveService } from './live-service.ts';
import { ServiceHandle } from './service-handle.ts';

/** Interval between checks of the services that were only requested by name, in ms. */
const LOOK_MS = 60_000;
/** Consecutive checks without a call after which such a service is forgotten. */
const IDLE_LOOKS = 5;
/** Maximum number of such services; the one requested first makes room. */
const MAX_ASKED = 1_000;

interface Shared {
  readonly service: LiveService;
  /** Number of open handles. */
  users: number;
  /** Requested by name, for a dispatcher that is never closed. */
  isAsked: boolean;
  calls: number;
  idleLooks: number;
}

/**
 * The live services of a client by key. Users with a handle share a service, which is closed with the last
 * handle. A service that was requested by name is forgotten once it has had no call for a while, since
 * names can come from any source.
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

  /** `limits`: of the calls through this handle. */
  openHandle(key: string, create: () => LiveService, limits: CallLimits): ServiceHandle {
    const shared = this.#get(key, create);
    shared.users++;
    return new ServiceHandle(shared.service, limits, async () => {
      shared.users--;
      if (shared.users === 0 && !shared.isAsked) await this.#close(key, shared);
    });
  }

  shared(key: string, create: () => LiveService): LiveService {
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

  /** Open handles keep the service; nothing waits for the close. */
  #forget(key: string, shared: Shared): void {
    shared.isAsked = false;
    shared.idleLooks = 0;
    if (shared.users > 0) return;
    this.#close(key, shared).catch((error: unknown) =>
      this.#runtime.warn(`closing service ${shared.service.label} failed`, error),
    );
  }
}
