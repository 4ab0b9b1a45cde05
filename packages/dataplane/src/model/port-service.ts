import type { Target, TargetGroup } from './target.ts';

/**
 * - `no_target`: the group had none
 * - `all_failed`: no connection to any of the tried targets could be made
 * - `denied`: the client's address is not allowed
 * - `limit`: the plane has reached its limit, or the system has no more resources
 */
export type RefusalReason = 'no_target' | 'all_failed' | 'denied' | 'limit';

/** Hooks at the start of connections and flows: plain calls that are never awaited and must not throw. */
export interface ConnectObserver {
  onConnected(target: Target): void;
  /** `reason`: the system's error code, or `timeout`. */
  onConnectFailed(target: Target, reason: string): void;
  /** A client was refused, or its datagram dropped. */
  onRefused(reason: RefusalReason): void;
}

/** The service at an address and port whose bytes are forwarded without parsing. */
export interface PortService {
  readonly group: TargetGroup;
  readonly observer: ConnectObserver;
  /** Whether this client is allowed; absent: all are. */
  readonly admits?: ((clientAddress: string) => boolean) | undefined;
}

/** A group that is notified of the result of connecting to its targets. */
export interface ConnectObserverGroup<T extends Target> extends TargetGroup {
  connected(target: T): void;
  connectFailed(target: T): void;
}

/** Creates a service for a group and reports each outcome to it; `refused` counts refused clients. */
export function createPortService<T extends Target>(
  group: ConnectObserverGroup<T>,
  refused: RefusalCounters,
): PortService {
  return {
    group,
    observer: {
      // The target came from this group, so the group gets the result.
      onConnected: (target) => group.connected(target as T),
      onConnectFailed: (target) => group.connectFailed(target as T),
      onRefused: (reason) => refused[reason]++,
    },
  };
}

/** Refused clients, by reason. */
export type RefusalCounters = Record<RefusalReason, number>;

export function createRefusalCounters(): RefusalCounters {
  return { no_target: 0, all_failed: 0, denied: 0, limit: 0 };
}

/**
 * Where a listener finds its service. Read again for each client, because it may be
 * replaced while the listener is open.
 */
export interface PortPlace {
  readonly service: PortService;
}

/** IPv4 addresses in IPv4 notation, even when a dual-stack socket reports them as IPv6. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
