import type { Catalog } from '@rollcall/client-sdk';
import type { RefusalCounters, TcpCounters, UdpCounters } from '@rollcall/dataplane';
import { type LoopFaults, ProgramMetrics, type Sample } from '@rollcall/daemon';
import type { Registry } from 'prom-client';
import type { ServedServices } from '@rollcall/service-plane';
import type { ProxiedService } from '../proxy/proxied-service.ts';

export interface MetricSources {
  readonly catalog: Catalog;
  readonly proxy: ServedServices<ProxiedService>;
  readonly tcp: TcpCounters;
  readonly udp: UdpCounters;
  readonly refusals: RefusalCounters;
  readonly reports: { readonly posted: number; readonly failed: number };
  readonly supervisor: LoopFaults | undefined;
}

/** All metrics. Read from plain numbers on each scrape, so the hot path has no metrics code. */
export function createMetrics(sources: MetricSources): Registry {
  const metrics = new ProgramMetrics('rollcall_node_proxy');
  if (sources.supervisor !== undefined) metrics.loops(sources.supervisor);
  addPlaneMetrics(metrics, sources);
  addServiceMetrics(metrics, sources);
  return metrics.registry;
}

function addPlaneMetrics(metrics: ProgramMetrics, { tcp, udp, refusals }: MetricSources): void {
  metrics.level('connections', 'TCP connections open.', () => tcp.open);
  metrics.plainCounter('connections_total', 'TCP connections accepted.', () => tcp.accepted);
  metrics.level('udp_flows', 'UDP flows open.', () => udp.flows);
  metrics.plainCounter('udp_flows_total', 'UDP flows begun.', () => udp.flowsStarted);
  metrics.plainCounter('udp_dropped_total', 'Datagrams of clients dropped.', () => udp.dropped);
  metrics.plainCounter(
    'connect_failures_total',
    'Endpoints that could not be connected to.',
    () => tcp.connectFailures + udp.connectFailures,
  );
  const refused = { name: 'refused_total', help: 'Refused clients.', labelNames: ['reason'] };
  metrics.counter(refused, () =>
    Object.entries(refusals).map(([reason, value]): Sample => [value, { reason }]),
  );
  const bytes = { name: 'bytes_total', help: 'TCP bytes carried.', labelNames: ['direction'] };
  metrics.counter(bytes, () => [
    [tcp.bytesFromClients, { direction: 'in' }],
    [tcp.bytesToClients, { direction: 'out' }],
  ]);
  const datagrams = { ...bytes, name: 'datagrams_total', help: 'UDP datagrams carried.' };
  metrics.counter(datagrams, () => [
    [udp.datagramsFromClients, { direction: 'in' }],
    [udp.datagramsToClients, { direction: 'out' }],
  ]);
}

function addServiceMetrics(
  metrics: ProgramMetrics,
  { catalog, proxy, reports }: MetricSources,
): void {
  const age = {
    name: 'picture_age_seconds',
    help: 'Time since the registry last confirmed that the picture is current; absent before the first time.',
  };
  metrics.gauge(age, () => (catalog.isReady ? [[catalog.ageMs() / 1_000]] : []));
  metrics.gauge({ name: 'services', help: 'Services served.' }, () => [[proxy.size]]);
  const labelNames = ['state'];
  const addresses = { name: 'addresses', help: 'Addresses of services by state.', labelNames };
  metrics.gauge(addresses, () => {
    const counts = { binding: 0, bound: 0, failed: 0, taken: 0 };
    for (const service of proxy.services())
      for (const { status } of service.standings()) counts[status.state]++;
    return Object.entries(counts).map(([state, count]): Sample => [count, { state }]);
  });
  metrics.counter({ name: 'reports_total', help: 'Reports sent to the registry.' }, () => [
    [reports.posted],
  ]);
  const failed = { name: 'reports_failed_total', help: 'Reports that did not arrive.' };
  metrics.counter(failed, () => [[reports.failed]]);
}
