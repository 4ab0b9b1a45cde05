import type { Catalog } from '@rollcall/client-sdk';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Counters } from '../server/counters.ts';
import { RCODE } from '../wire/codes.ts';
import type { Zone } from '../zone/zone.ts';

export interface MetricSources {
  readonly counters: Counters;
  readonly catalog: Pick<Catalog, 'isReady' | 'ageMs'>;
  readonly zone: Pick<Zone, 'serviceCount'>;
}

type Sample = readonly [value: number, labels?: Record<string, string>];
type Description = { readonly name: string; readonly help: string; readonly labelNames?: string[] };

/** All metrics, pulled from plain numbers when somebody scrapes: the hot path knows nothing of them. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addQueryMetrics(registry, sources.counters);
  addTransportMetrics(registry, sources.counters);
  addPictureMetrics(registry, sources);
  return registry;
}

function counter(registry: Registry, given: Description, read: () => Iterable<Sample>): void {
  void new Counter({
    labelNames: [],
    ...given,
    name: `rollcall_dns_${given.name}`,
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.inc(labels, value);
    },
  });
}

function gauge(registry: Registry, given: Description, read: () => Iterable<Sample>): void {
  void new Gauge({
    ...given,
    name: `rollcall_dns_${given.name}`,
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.set(labels, value);
    },
  });
}

function addQueryMetrics(registry: Registry, counters: Counters): void {
  const names = Object.entries(RCODE).filter(([, code]) => code < counters.rcodes.length);
  const queries = { name: 'queries_total', help: 'Queries received.', labelNames: ['transport'] };
  counter(registry, queries, () => [
    [counters.udpQueries, { transport: 'udp' }],
    [counters.tcpQueries, { transport: 'tcp' }],
  ]);
  const answers = { name: 'answers_total', help: 'Answers sent, by code.', labelNames: ['rcode'] };
  counter(registry, answers, () =>
    names.map(([rcode, code]) => [counters.rcodes[code]!, { rcode }] as const),
  );
  const plain = (name: string, help: string, read: () => number): void =>
    counter(registry, { name, help }, () => [[read()]]);
  plain(
    'truncated_total',
    'Answers with TC set: the client should ask over TCP.',
    () => counters.truncated,
  );
  plain('dropped_total', 'Packets that deserve no answer.', () => counters.dropped);
  plain('limited_total', 'Queries above --max-queries-per-second.', () => counters.limited);
  plain('faults_total', 'Answers that failed by a fault of this server.', () => counters.faults);
  plain('forwarded_total', 'Queries sent on.', () => counters.forwarded);
  plain(
    'forward_failures_total',
    'Queries sent on and not answered.',
    () => counters.forwardTimeouts,
  );
  plain(
    'forward_refusals_total',
    'Queries not sent on: too many under way.',
    () => counters.forwardRefusals,
  );
}

function addTransportMetrics(registry: Registry, counters: Counters): void {
  const plain = (name: string, help: string, read: () => number): void =>
    counter(registry, { name, help }, () => [[read()]]);
  plain('udp_send_errors_total', 'Answers that could not be sent.', () => counters.sendErrors);
  plain(
    'tcp_connections_total',
    'TCP connections accepted.',
    () => counters.tcpConnectionsAccepted,
  );
  plain(
    'tcp_connections_refused_total',
    'Closed on arrival, beyond the limit.',
    () => counters.tcpConnectionsRefused,
  );
  plain(
    'tcp_connections_evicted_total',
    'Closed to make room: no query was completed, or nothing under way.',
    () => counters.tcpConnectionsEvicted,
  );
  gauge(registry, { name: 'tcp_connections', help: 'TCP connections open.' }, () => [
    [counters.tcpConnections],
  ]);
}

function addPictureMetrics(registry: Registry, { catalog, zone }: MetricSources): void {
  const ready = { name: 'ready', help: '1 once names are answered; 0 while SERVFAIL is said.' };
  gauge(registry, ready, () => [[catalog.isReady ? 1 : 0]]);
  const age = {
    name: 'picture_age_seconds',
    help: 'Since the registry last proved the picture current; absent before the first.',
  };
  gauge(registry, age, () => (catalog.isReady ? [[catalog.ageMs() / 1_000]] : []));
  gauge(registry, { name: 'services', help: 'Services known.' }, () => [[zone.serviceCount]]);
}
