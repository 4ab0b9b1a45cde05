import { hostname } from 'node:os';
import { type Catalog, hostnameOf, type ServiceKey } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import {
  type RefusalCounters,
  TCP_OPTIONS,
  type TcpCounters,
  type Transport,
  UDP_OPTIONS,
  type UdpCounters,
  createRefusalCounters,
} from '@rollcall/dataplane';
import type { Clock, Random } from '@rollcall/runtime';
import {
  keepReports,
  openPlane,
  type ReportPort,
  reporterOf,
  ServedServices,
} from '@rollcall/service-plane';
import type { LoadBalancerServicesConfig } from '../config/schema.ts';
import { BalancedService } from './balanced-service.ts';
import { isMeant } from './placement.ts';

const AFFINITY_CLIENTS = 100_000;

/** A service that could not be placed is retried after this, in ms. */
const RETRY_MS = 5_000;

export interface ServicesParts {
  readonly transport: Transport;
  readonly catalog: Catalog;
  readonly reports: ReportPort;
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
  /** File descriptors available to each of TCP and UDP. */
  readonly descriptors: number;
}

/** The served services of type LoadBalancer. */
export interface BalancedServices {
  readonly catalog: Catalog;
  readonly services: ServedServices<BalancedService>;
  readonly tcp: TcpCounters;
  readonly udp: UdpCounters;
  readonly refusals: RefusalCounters;
  close(graceMs: number): Promise<void>;
}

/** Serves the services of type LoadBalancer whose class is this balancer's. */
export function serveServices(
  config: LoadBalancerServicesConfig,
  parts: ServicesParts,
): BalancedServices {
  const { catalog, clock, random, transport, descriptors, log, reports: port } = parts;
  const { addresses, scheduler, ejection, drainMs, class: ownClass, connectMs, idleMs } = config;
  const { connections: maxConnections } = TCP_OPTIONS;
  const { flows: maxFlows, idleMs: udpIdleMs } = UDP_OPTIONS;
  const { plane, tcp, udp } = openPlane(
    { connectMs, idleMs, udpIdleMs, maxConnections, maxFlows, descriptors },
    { transport, clock, onStatus: (key) => services.addressesChanged(key) },
  );
  const reporter = config.reporter ?? reporterOf('lb', hostnameOf(hostname()));
  const lastOf = (key: ServiceKey) => services.get(key)?.lastReport();
  const reports = keepReports({ port, reporter, clock, random, log, lastOf });
  const refusals = createRefusalCounters();
  const nowMs = () => clock.monotonicMs();
  const pools = { scheduler, ejection, random, nowMs, affinityClients: AFFINITY_CLIENTS };
  const servedParts = { plane, addresses, drainMs, refusals, pools };
  const services: ServedServices<BalancedService> = new ServedServices(
    catalog,
    {
      serves: (declared) => isMeant(declared, ownClass),
      create: (key, declared) => new BalancedService(key, declared, servedParts),
    },
    {
      onReport: (key, report) => reports.set(key, report),
      onGone: (key) => reports.withdraw(key),
    },
  );
  const retries = clock.every(RETRY_MS, () => {
    for (const service of services.services()) {
      if (!service.isStranded) continue;
      service.tryAgain();
      services.addressesChanged(service.key);
    }
  });
  return {
    catalog,
    services,
    refusals,
    tcp,
    udp,
    async close(graceMs) {
      retries.cancel();
      services.close();
      await Promise.all([plane.close(graceMs), reports.close()]);
      catalog.close();
    },
  };
}
