import type { Catalog } from '@rollcall/client-sdk';
import { type LoopFaults, ProgramMetrics } from '@rollcall/daemon';
import type { Registry } from 'prom-client';
import type { Counters } from '../counting/counters.ts';
import { RCODE } from '../wire/codes.ts';
import type { Zone } from '../zone/zone.ts';

export interface MetricSources {
  readonly counters: Counters;
  readonly catalog: Pick<Catalog, 'isReady' | 'ageMs'>;
  readonly zone: Pick<Zone, 'serviceCount'>;
  readonly supervisor: LoopFaults | undefined;
}

/** All metrics. Their values are read from plain numbers at each scrape, so the hot path does not deal with metrics. */
export function createMetrics(sources: MetricSources): Registry {
  const metrics = new ProgramMetrics('rollcall_dns');
  if (sources.supervisor !== undefined) metrics.loops(sources.supervisor);
  addQueryMetrics(metrics, sources.counters);
  addTransportMetrics(metrics, sources.counters);
  addPictureMetrics(metrics, sources);
  return metrics.registry;
}

function addQueryMetrics(metrics: ProgramMetrics, counters: Counters): void {
  const names = Object.entries(RCODE).filter(([, code]) => code < counters.rcodes.length);
  const queries = { name: 'queries_total', help: 'Queries received.', labelNames: ['transport'] };
  metrics.counter(queries, () => [
    [counters.udpQueries, { transport: 'udp' }],
    [counters.tcpQueries, { transport: 'tcp' }],
  ]);
  const answers = { name: 'answers_total', help: 'Answers sent, by code.', labelNames: ['rcode'] };
  metrics.counter(answers, () =>
    names.map(([rcode, code]) => [counters.rcodes[code]!, { rcode }] as const),
  );
  metrics.plainCounter(
    'truncated_total',
    'Answers with TC set: the client should ask over TCP.',
    () => counters.truncated,
  );
  metrics.plainCounter('dropped_total', 'Packets that get no answer.', () => counters.dropped);
  metrics.plainCounter(
    'limited_total',
    'Queries above --max-queries-per-second.',
    () => counters.limited,
  );
  metrics.plainCounter(
    'faults_total',
    'Queries that failed because of a fault in this server.',
    () => counters.faults,
  );
  metrics.plainCounter('forwarded_total', 'Forwarded queries.', () => counters.forwarded);
  metrics.plainCounter(
    'forward_failures_total',
    'Forwarded queries without an answer.',
    () => counters.forwardTimeouts,
  );
  metrics.plainCounter(
    'forward_refusals_total',
    'Queries not forwarded: too many in progress.',
    () => counters.forwardRefusals,
  );
}

function addTransportMetrics(metrics: ProgramMetrics, counters: Counters): void {
  metrics.plainCounter(
    'udp_send_errors_total',
    'Answers that could not be sent.',
    () => counters.sendErrors,
  );
  metrics.plainCounter(
    'tcp_connections_total',
    'TCP connections accepted.',
    () => counters.tcpConnectionsAccepted,
  );
  metrics.plainCounter(
    'tcp_connections_refused_total',
    'Connections closed at once, because of the limit.',
    () => counters.tcpConnectionsRefused,
  );
  metrics.plainCounter(
    'tcp_connections_evicted_total',
    'Closed to make room: without a completed query, or idle.',
    () => counters.tcpConnectionsEvicted,
  );
  metrics.gauge({ name: 'tcp_connections', help: 'TCP connections open.' }, () => [
    [counters.tcpConnections],
  ]);
}

function addPictureMetrics(metrics: ProgramMetrics, { catalog, zone }: MetricSources): void {
  const ready = { name: 'ready', help: '1 = names are answered; 0 = the answer is SERVFAIL.' };
  metrics.gauge(ready, () => [[catalog.isReady ? 1 : 0]]);
  const age = {
    name: 'picture_age_seconds',
    help: 'Time since the registry last confirmed that the picture is current; absent before the first time.',
  };
  metrics.gauge(age, () => (catalog.isReady ? [[catalog.ageMs() / 1_000]] : []));
  metrics.gauge({ name: 'services', help: 'Services known.' }, () => [[zone.serviceCount]]);
}
