import type { HttpCounters } from '@rollcall/dataplane';
import { type LoopFaults, ProgramMetrics, type Sample } from '@rollcall/daemon';
import type { Registry } from 'prom-client';
import type { AccessLog } from '../access-log/access-log.ts';
import type { BalancedServices } from '../services/serve-services.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import type { TrafficStats } from '../traffic/traffic-stats.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { addTlsMetrics } from './tls-metrics.ts';
import { createDurationHistogram } from './duration-histogram.ts';

export interface MetricSources {
  readonly counters: HttpCounters;
  readonly traffic: TrafficStats;
  readonly groups: readonly RegistryTargetGroup[];
  readonly services: BalancedServices | undefined;
  readonly tls: BalancerTls;
  readonly log: AccessLog | undefined;
  readonly supervisor: LoopFaults | undefined;
}

const STATES = ['healthy', 'unhealthy', 'initial', 'draining', 'unused', 'ejected'] as const;

/** All metrics. Their values are read from plain numbers at each scrape, so the hot path does not deal with metrics. */
export function createMetrics(sources: MetricSources): Registry {
  const metrics = new ProgramMetrics('rollcall_lb');
  if (sources.supervisor !== undefined) metrics.loops(sources.supervisor);
  addServerMetrics(metrics, sources);
  addTrafficMetrics(metrics, sources);
  addTargetMetrics(metrics, sources);
  addTlsMetrics(metrics, sources.tls);
  if (sources.services !== undefined) addServiceMetrics(metrics, sources.services);
  return metrics.registry;
}

function addServerMetrics(metrics: ProgramMetrics, { counters, log }: MetricSources): void {
  const plain = (name: string, help: string, key: keyof HttpCounters): void =>
    metrics.counter({ name, help }, () => [[counters[key]]]);
  plain('connections_total', 'Client connections accepted.', 'connectionsAccepted');
  plain(
    'connections_refused_total',
    'Connections closed at once, because of the limit.',
    'connectionsRefused',
  );
  plain('retries_total', 'Retries: attempts after the first one of a request.', 'retries');
  plain('retries_denied_total', 'Retries not made: the budget was used up.', 'retriesDenied');
  plain('upstream_connects_total', 'Connections opened to targets.', 'upstreamConnects');
  plain('upstream_reuses_total', 'Requests on a reused connection.', 'upstreamReuses');
  metrics.gauge({ name: 'connections', help: 'Client connections open.' }, () => [
    [counters.connectionsOpen],
  ]);
  metrics.gauge({ name: 'requests_in_flight', help: 'Requests in progress.' }, () => [
    [counters.requestsInFlight],
  ]);
  const dropped = {
    name: 'access_log_dropped_total',
    help: 'Log lines lost because the reader was too slow.',
  };
  metrics.counter(dropped, () => [[log?.dropped ?? 0]]);
}

function addTrafficMetrics(metrics: ProgramMetrics, { traffic }: MetricSources): void {
  const codes = {
    name: 'requests_total',
    help: 'Requests answered.',
    labelNames: ['group', 'code'],
  };
  metrics.counter(codes, function* read() {
    for (const [group, { byClass }] of traffic.groups) {
      for (let digit = 1; digit <= 5; digit++) {
        yield [byClass[digit]!, { group, code: `${digit}xx` }];
      }
    }
  });
  const reasons = {
    name: 'refusals_total',
    help: 'Answers made or cut short by the balancer, by reason.',
    labelNames: ['group', 'reason'],
  };
  metrics.counter(reasons, function* read() {
    for (const [group, { byReason }] of traffic.groups) {
      for (const [reason, count] of byReason) yield [count, { group, reason }];
    }
  });
  const bytes = {
    name: 'bytes_total',
    help: 'Heads and bodies from (in) and to (out) clients.',
    labelNames: ['group', 'direction'],
  };
  metrics.counter(bytes, function* read() {
    for (const [group, { requestBytes, responseBytes }] of traffic.groups) {
      yield [requestBytes, { group, direction: 'in' }];
      yield [responseBytes, { group, direction: 'out' }];
    }
  });
  metrics.registry.registerMetric(createDurationHistogram(traffic));
}

function addTargetMetrics(metrics: ProgramMetrics, { groups }: MetricSources): void {
  const age = {
    name: 'picture_age_seconds',
    help: 'Time since the registry last confirmed that the picture is current; absent before the first time.',
    labelNames: ['group'],
  };
  metrics.gauge(age, function* read() {
    for (const group of groups) {
      if (group.hasPicture) yield [group.pictureAgeMs / 1_000, { group: group.name }];
    }
  });
  const states = { name: 'targets', help: 'Targets by state.', labelNames: ['group', 'state'] };
  metrics.gauge(states, function* read() {
    for (const group of groups) {
      const targets = group.targets();
      for (const state of STATES) {
        const count = targets.filter(({ standing }) => standing.state === state).length;
        yield [count, { group: group.name, state }];
      }
    }
  });
  const labelNames = ['group', 'target'];
  const each = (read: (target: ReturnType<RegistryTargetGroup['targets']>[number]) => number) =>
    function* samples(): Generator<Sample> {
      for (const group of groups) {
        for (const target of group.targets()) {
          yield [read(target), { group: group.name, target: target.id }];
        }
      }
    };
  const attempts = { name: 'target_requests_total', help: 'Attempts on a target.', labelNames };
  metrics.counter(
    attempts,
    each(({ counters }) => counters.requests),
  );
  const failures = {
    name: 'target_failures_total',
    help: 'Attempts without an answer.',
    labelNames,
  };
  metrics.counter(
    failures,
    each(({ counters }) => counters.failures),
  );
  const underWay = { name: 'target_in_flight', help: 'Requests in progress.', labelNames };
  metrics.gauge(
    underWay,
    each(({ inFlight }) => inFlight),
  );
}

function addServiceMetrics(
  metrics: ProgramMetrics,
  { services, tcp, udp, refusals }: BalancedServices,
): void {
  const states = {
    name: 'services',
    help: 'Services of type LoadBalancer, with and without an address.',
    labelNames: ['state'],
  };
  metrics.gauge(states, () => {
    const all = [...services.services()];
    const bound = all.filter(({ address }) => address !== undefined).length;
    return [
      [bound, { state: 'bound' }],
      [all.length - bound, { state: 'pending' }],
    ];
  });
  const open = { name: 'service_connections', help: 'TCP connections open.' };
  metrics.gauge(open, () => [[tcp.open]]);
  const accepted = { name: 'service_connections_total', help: 'TCP connections accepted.' };
  metrics.counter(accepted, () => [[tcp.accepted]]);
  metrics.gauge({ name: 'service_udp_flows', help: 'UDP flows open.' }, () => [[udp.flows]]);
  const refused = {
    name: 'service_refused_total',
    help: 'Refused clients of services.',
    labelNames: ['reason'],
  };
  metrics.counter(refused, () =>
    Object.entries(refusals).map(([reason, value]): Sample => [value, { reason }]),
  );
}
