import type { ServiceRef } from '@rollcall/contract';
import { Emitter } from '../base/emitter.ts';
import type { RollcallError } from '../base/error.ts';
import { guarded } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { Timer } from '@rollcall/runtime';
import type { ServiceSnapshot } from '../api/service.ts';
import type { Held } from './watch-session.ts';
import { LOST, nextExpiryMs, ofEpoch, type Picture, withoutExpired } from './picture.ts';

export interface FeedEvents {
  /** A new picture, already visible in {@link ServiceFeed.snapshot}. */
  change: (snapshot: ServiceSnapshot) => void;
  /** The registry refuses to show the service, for a reason that does not pass by itself. */
  refused: (error: RollcallError) => void;
}

/** The latest picture of one service and when it was last confirmed. Filled by the directory, read by services. */
export class ServiceFeed {
  readonly service: ServiceRef;
  readonly events: Emitter<FeedEvents>;
  /** Number of services that read it; maintained by the directory. */
  users = 0;
  readonly #options: ResolvedOptions;
  #picture: Picture | undefined;
  #provenAtMs = -Infinity;
  #receivedAtMs = -Infinity;
  #expiry: Timer | undefined;

  constructor(options: ResolvedOptions, { namespace, service }: ServiceRef) {
    this.#options = options;
    this.service = { namespace, service };
    this.events = new Emitter(options.runtime);
  }

  get picture(): Picture | undefined {
    return this.#picture;
  }

  /** Revision of the picture, and how long it has been held. */
  get held(): Held | undefined {
    if (this.#picture === undefined) return undefined;
    const ageMs = this.#options.runtime.monotonicMs() - this.#receivedAtMs;
    return { revision: this.#picture.snapshot.revision, ageMs };
  }

  get snapshot(): ServiceSnapshot | undefined {
    return this.#picture?.snapshot;
  }

  /** ms since the registry last confirmed that the picture is current; Infinity before the first confirmation. */
  get ageMs(): number {
    return this.#options.runtime.monotonicMs() - this.#provenAtMs;
  }

  /** The registry shows this picture, and confirmed its own picture against the store `storeAgeMs` ago. */
  confirm(storeAgeMs: number): void {
    const provenAtMs = this.#options.runtime.monotonicMs() - storeAgeMs;
    this.#provenAtMs = Math.max(this.#provenAtMs, provenAtMs);
  }

  /** The stream that updates the picture belongs to this epoch from now on; the content stays the same. */
  rebase(before: string | undefined, epoch: string): void {
    if (this.#picture !== undefined) this.#picture = ofEpoch(this.#picture, before, epoch);
  }

  /**
   * The registry does not know the picture's content: the store lost that history. The picture stays until the next
   * snapshot, which counts as one of another store, whatever its revision.
   */
  invalidate(): void {
    if (this.#picture !== undefined) this.#picture = { ...this.#picture, epoch: LOST };
  }

  /**
   * Replaces the picture; does nothing when it is the same object. `ageMs`: how long the first picture has been known.
   */
  publish(picture: Picture, ageMs = 0): void {
    if (picture === this.#picture) return;
    const { revision } = picture.snapshot;
    if (revision !== this.#picture?.snapshot.revision) {
      this.#receivedAtMs = this.#options.runtime.monotonicMs();
    }
    if (this.#picture === undefined) this.confirm(ageMs);
    this.#picture = picture;
    this.#awaitExpiry(picture);
    this.events.emit('change', picture.snapshot);
  }

  close(): void {
    this.#expiry?.cancel();
    this.events.clear();
  }

  #awaitExpiry(picture: Picture): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
    const { runtime, keepAlive: keepsAlive } = this.#options;
    const nextMs = nextExpiryMs(picture);
    if (nextMs === Infinity) return;
    // A timer may fire a fraction of a millisecond early.
    const delayMs = Math.max(nextMs - runtime.monotonicMs(), 0) + 1;
    const onExpiry = () =>
      guarded(runtime, 'ending a grace', () =>
        this.publish(withoutExpired(this.#picture ?? picture, runtime.monotonicMs() + 1)),
      );
    this.#expiry = runtime.after(delayMs, onExpiry, { keepsAlive });
  }
}
