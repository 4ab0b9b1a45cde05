import { HoldEvent, pathOf, ROUTES } from '@rollcall/contract';
import type { StreamEvent } from '../stream/event-stream.ts';
import type { StreamPlan, StreamSession, StreamAction } from '../stream/live-stream.ts';

/** What a hold reports about the leases bound to it. */
export interface HoldListener {
  onUnknown(lease: string): void;
  onSuperseded(lease: string): void;
  /** The connection is gone: the registry may consider its instances dead. */
  onLost(): void;
}

/** The leases that one connection holds. */
export class HoldPlan implements StreamPlan<StreamSession> {
  readonly leases = new Set<string>();
  readonly #listener: HoldListener;

  constructor(listener: HoldListener) {
    this.#listener = listener;
  }

  createSession(): StreamSession | undefined {
    if (this.leases.size === 0) return undefined;
    const query = new URLSearchParams();
    for (const lease of this.leases) query.append('lease', lease);
    return {
      path: `${pathOf(ROUTES.hold)}?${query.toString()}`,
      onEvent: (event) => this.#onEvent(event),
    };
  }

  onFailure(_error: unknown, wasUp: boolean): void {
    if (wasUp) this.#listener.onLost();
  }

  #onEvent({ name, data }: StreamEvent): StreamAction {
    if (name === 'move') return 'move';
    if (name !== 'held') return undefined;
    const { unknown, superseded } = HoldEvent.parse(data);
    for (const lease of superseded) this.#listener.onSuperseded(lease);
    for (const lease of unknown) this.#listener.onUnknown(lease);
    return 'up';
  }
}
