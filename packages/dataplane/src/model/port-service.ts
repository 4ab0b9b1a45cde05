import type { Target, TargetGroup } from './target.ts';

/**
 * - `no_target`: the group had none
 * - `all_failed`: those that were tried could not be connected to
 * - `denied`: the client's address may not come in here
 * - `limit`: the plane carries as many as it may, or the system gives no more
 */
export type RefusalReason = 'no_target' | 'all_failed' | 'denied' | 'limit';

/** Hooks at the beginning of connections and flows: plain calls, never awaited, must not throw. */
export interface ConnectObserver {
  onConnected(target: Target): void;
  /** `reason`: the system's code, or `timeout`. */
  onConnectFailed(target: Target, reason: string): void;
  /** A client was turned away, or its datagram dropped. */
  onRefused(reason: RefusalReason): void;
}

/** What stands behind an address and port of bytes without a protocol of their own. */
export interface PortService {
  readonly group: TargetGroup;
  readonly observer: ConnectObserver;
  /** Whether this client may come in; absent: everybody may. */
  readonly admits?: ((clientAddress: string) => boolean) | undefined;
}

/** A group that wants to know how connecting to its targets went. */
export interface AttentiveGroup<T extends Target> extends TargetGroup {
  connected(target: T): void;
  connectFailed(target: T): void;
}

/** Leads to a group, and tells it of each outcome; `refused` counts who was turned away. */
export function createPortService<T extends Target>(
  group: AttentiveGroup<T>,
  refused: RefusalCounters,
): PortService {
  return {
    group,
    observer: {
      // The group gave this target, so it hears how the target fared.
      onConnected: (target) => group.connected(target as T),
      onConnectFailed: (target) => group.connectFailed(target as T),
      onRefused: (reason) => refused[reason]++,
    },
  };
}

/** Clients turned away, by reason. */
export type RefusalCounters = Record<RefusalReason, number>;

export function createRefusalCounters(): RefusalCounters {
  return { no_target: 0, all_failed: 0, denied: 0, limit: 0 };
}

/** Where a listener finds it, read anew for each client: it may be replaced under an open listener. */
export interface PortPlace {
  readonly service: PortService;
}

/** IPv4 addresses in their own notation, also where a socket for both families shows them as IPv6. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
