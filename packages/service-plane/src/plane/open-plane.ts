import type { ServiceKey } from '@rollcall/client-sdk';
import {
  DgramDatagrams,
  TCP_OPTIONS,
  type TcpCounters,
  TcpServer,
  type Transport,
  type UdpCounters,
  UdpServer,
} from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import { UserspacePlane } from './userspace-plane.ts';

export interface PlaneOptions {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly udpIdleMs: number;
  readonly maxConnections: number;
  readonly maxFlows: number;
  /** How many file descriptors TCP and UDP may each use. A connection takes two, a flow one. */
  readonly descriptors: number;
}

export interface PlaneParts {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The status of an address of a service has changed. */
  readonly onStatus: (key: ServiceKey) => void;
}

/** A plane and its counters. */
export interface OpenPlane {
  readonly plane: UserspacePlane;
  readonly tcp: TcpCounters;
  readonly udp: UdpCounters;
}

/** Opens a plane of sockets, within the process's limit of file descriptors. */
export function openPlane(options: PlaneOptions, parts: PlaneParts): OpenPlane {
  const { connectMs, idleMs, udpIdleMs, descriptors } = options;
  const { transport, clock, onStatus } = parts;
  const connections = Math.min(options.maxConnections, Math.floor(descriptors / 2));
  const flows = Math.min(options.maxFlows, descriptors);
  const tcp = new TcpServer(
    { ...TCP_OPTIONS, connectMs, idleMs, connections },
    { transport, clock },
  );
  const udp = new UdpServer(
    { idleMs: udpIdleMs, flows },
    { datagrams: new DgramDatagrams(), clock },
  );
  // The owners on this plane are services.
  const toKey = (owner: string) => onStatus(owner as ServiceKey);
  const plane = new UserspacePlane({ tcp, udp, clock, onStatus: toKey });
  return { plane, tcp: tcp.counters, udp: udp.counters };
}
