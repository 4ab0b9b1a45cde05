import type { Clock, Timer } from '@rollcall/runtime';
import type { Target, TcpServer, UdpServer } from '@rollcall/dataplane';
import { type Bind, Binding } from './binding.ts';
import type { Frontend, FrontendStatus, ServicePlane } from './service-plane.ts';

export interface UserspaceParts {
  readonly tcp: TcpServer;
  readonly udp: UdpServer;
  readonly clock: Clock;
  /** The status of a frontend of this owner has changed. Never called from inside `apply`. */
  readonly onStatus: (owner: string) => void;
}

const TICK_MS = 250;

const keyOf = ({ protocol, host, port }: Frontend) => `${protocol} ${host} ${port}`;

/**
 * Serves with sockets of this process, on any platform and without privileges. Listeners are opened and closed only
 * when frontends come and go; a listener that several owners want is passed on without being closed.
 */
export class UserspacePlane implements ServicePlane {
  readonly name = 'userspace';
  readonly #parts: UserspaceParts;
  readonly #bindings = new Map<string, Binding>();
  readonly #owned = new Map<string, Map<string, Binding>>();
  readonly #bind: Bind;
  readonly #tickTimer: Timer;
  #closed: Promise<void> | undefined;

  constructor(parts: UserspaceParts) {
    this.#parts = parts;
    this.#bind = (frontend, place) =>
      frontend.protocol === 'TCP'
        ? parts.tcp.listen(frontend, place)
        : parts.udp.listen(frontend, place);
    this.#tickTimer = parts.clock.every(TICK_MS, () => this.#tick());
  }

  setFrontends(owner: string, frontends: readonly Frontend[]): void {
    if (this.#closed !== undefined) return;
    const before = this.#owned.get(owner);
    const after = new Map<string, Binding>();
    for (const frontend of frontends) {
      const key = keyOf(frontend);
      const binding = this.#bindings.get(key) ?? this.#create(key, frontend);
      after.set(key, binding);
      binding.claim(owner, frontend);
    }
    for (const [key, binding] of before ?? []) if (!after.has(key)) binding.release(owner);
    if (after.size === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, after);
  }

  statuses(owner: string): readonly FrontendStatus[] {
    const owned = this.#owned.get(owner)?.values() ?? [];
    return Array.from(owned, (binding) => binding.statusOf(owner));
  }

  drain(target: Target, graceMs: number): void {
    this.#parts.tcp.drain(target, graceMs);
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#tickTimer.cancel();
    for (const binding of this.#bindings.values()) binding.retire();
    await Promise.all([this.#parts.tcp.close(graceMs), this.#parts.udp.close()]);
  }

  #create(key: string, frontend: Frontend): Binding {
    const binding = new Binding(frontend, this.#bind, this.#tell);
    this.#bindings.set(key, binding);
    return binding;
  }

  readonly #tell = (binding: Binding): void => {
    // Later, since a binding may be released from inside `apply`.
    queueMicrotask(() => {
      for (const owner of binding.owners) this.#parts.onStatus(owner);
    });
  };

  #tick(): void {
    const now = this.#parts.clock.monotonicMs();
    for (const [key, binding] of this.#bindings) {
      if (binding.isUnused && !binding.isUnderWay) this.#bindings.delete(key);
      else binding.retryIfDue(now);
    }
  }
}
