import type { Catalog } from '@rollcall/client-sdk';
import type { RefusalCounters, TcpCounters, UdpCounters } from '@rollcall/dataplane';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { ServiceProxy } from '../proxy/service-proxy.ts';

export interface MetricSources {
  readonly catalog: Catalog;
  readonly proxy: ServiceProxy;
  readonly tcp: TcpCounters;
  readonly udp: UdpCounters;
  readonly refusals: RefusalCounters;
  readonly reports: { readonly posted: number; readonly failed: number };
}

type Sample = readonly [value: number, labels?: Record<string, string>];

interface Description {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: string[];
}

/** All metrics, pulled from plain numbers when somebody scrapes: the hot path knows nothing of them. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addPlaneMetrics(registry, sources);
  addServiceMetrics(registry, sources);
  return registry;
}

function counter(
  registry: Registry,
  { name, help, labelNames = [] }: Description,
  read: () => Iterable<Sample>,
): void {
  void new Counter({
    name: `rollcall_node_proxy_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.inc(labels, value);
    },
  });
}

function gauge(
  registry: Registry,
  { name, help, labelNames = [] }: Description,
  read: () => Iterable<Sample>,
): void {
  void new Gauge({
    name: `rollcall_node_proxy_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.set(labels, value);
    },
  });
}

function addPlaneMetrics(registry: Registry, { tcp, udp, refusals }: MetricSources): void {
  const count = (name: string, help: string, read: () => number): void =>
    counter(registry, { name, help }, () => [[read()]]);
  const level = (name: string, help: string, read: () => number): void =>
    gauge(registry, { name, help }, () => [[read()]]);
  level('connections', 'TCP connections open.', () => tcp.open);
  count('connections_total', 'TCP connections accepted.', () => tcp.accepted);
  level('udp_flows', 'UDP flows open.', () => udp.flows);
  count('udp_flows_total', 'UDP flows begun.', () => udp.flowsStarted);
  count('udp_dropped_total', 'Datagrams of clients dropped.', () => udp.dropped);
  count(
    'connect_failures_total',
    'Endpoints that could not be connected to.',
    () => tcp.connectFailures + udp.connectFailures,
  );
  const refused = { name: 'refused_total', help: 'Clients turned away.', labelNames: ['reason'] };
  counter(registry, refused, () =>
    Object.entries(refusals).map(([reason, value]): Sample => [value, { reason }]),
  );
  const bytes = { name: 'bytes_total', help: 'TCP bytes carried.', labelNames: ['direction'] };
  counter(registry, bytes, () => [
    [tcp.bytesFromClients, { direction: 'in' }],
    [tcp.bytesToClients, { direction: 'out' }],
  ]);
  const datagrams = { ...bytes, name: 'datagrams_total', help: 'UDP datagrams carried.' };
  counter(registry, datagrams, () => [
    [udp.datagramsFromClients, { direction: 'in' }],
    [udp.datagramsToClients, { direction: 'out' }],
  ]);
}

function addServiceMetrics(registry: Registry, { catalog, proxy, reports }: MetricSources): void {
  const age = {
    name: 'picture_age_seconds',
    help: 'Since the registry last proved the picture current; absent before the first.',
  };
  gauge(registry, age, () => (catalog.isReady ? [[catalog.ageMs() / 1_000]] : []));
  gauge(registry, { name: 'services', help: 'Services served.' }, () => [[proxy.size]]);
  const labelNames = ['state'];
  const addresses = { name: 'addresses', help: 'Addresses of services by state.', labelNames };
  gauge(registry, addresses, () => {
    const counts = { binding: 0, bound: 0, failed: 0, taken: 0 };
    for (const service of proxy.services())
      for (const { status } of service.standings()) counts[status.state]++;
    return Object.entries(counts).map(([state, count]): Sample => [count, { state }]);
  });
  counter(registry, { name: 'reports_total', help: 'Reports made to the registry.' }, () => [
    [reports.posted],
  ]);
  const failed = { name: 'reports_failed_total', help: 'Reports that did not get there.' };
  counter(registry, failed, () => [[reports.failed]]);
}
