import type { HttpCounters } from '@rollcall/dataplane';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { AccessLog } from '../access-log/access-log.ts';
import type { BalancedServices } from '../compose-services.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import type { TrafficBook } from '../traffic/traffic-book.ts';
import { createDurationHistogram } from './duration-histogram.ts';

export interface MetricSources {
  readonly counters: HttpCounters;
  readonly traffic: TrafficBook;
  readonly groups: readonly RegistryTargetGroup[];
  readonly services: BalancedServices | undefined;
  readonly log: AccessLog | undefined;
}

type Labels = Record<string, string>;
type Sample = readonly [value: number, labels?: Labels];

const STATES = ['healthy', 'unhealthy', 'initial', 'draining', 'unused', 'ejected'] as const;

/** All metrics, pulled from plain numbers when somebody scrapes: the hot path knows nothing of them. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addServerMetrics(registry, sources);
  addTrafficMetrics(registry, sources);
  addTargetMetrics(registry, sources);
  if (sources.services !== undefined) addServiceMetrics(registry, sources.services);
  return registry;
}

function counter(
  registry: Registry,
  { name, help, labelNames = [] }: { name: string; help: string; labelNames?: string[] },
  read: () => Iterable<Sample>,
): void {
  const options = { name: `rollcall_lb_${name}`, help, labelNames, registers: [registry] };
  void new Counter({
    ...options,
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.inc(labels, value);
    },
  });
}

function gauge(
  registry: Registry,
  { name, help, labelNames = [] }: { name: string; help: string; labelNames?: string[] },
  read: () => Iterable<Sample>,
): void {
  const options = { name: `rollcall_lb_${name}`, help, labelNames, registers: [registry] };
  void new Gauge({
    ...options,
    collect() {
      this.reset();
      for (const [value, labels = {}] of read()) this.set(labels, value);
    },
  });
}

function addServerMetrics(registry: Registry, { counters, log }: MetricSources): void {
  const plain = (name: string, help: string, key: keyof HttpCounters): void =>
    counter(registry, { name, help }, () => [[counters[key]]]);
  plain('connections_total', 'Client connections accepted.', 'connectionsAccepted');
  plain('connections_refused_total', 'Closed on arrival, beyond the limit.', 'connectionsRefused');
  plain('retries_total', 'Attempts beyond a request’s first.', 'retries');
  plain('retries_denied_total', 'Repeats not made: the budget was spent.', 'retriesDenied');
  plain('upstream_connects_total', 'Connections opened to targets.', 'upstreamConnects');
  plain('upstream_reuses_total', 'Requests on a connection that served before.', 'upstreamReuses');
  gauge(registry, { name: 'connections', help: 'Client connections open.' }, () => [
    [counters.connectionsOpen],
  ]);
  gauge(registry, { name: 'requests_in_flight', help: 'Requests under way.' }, () => [
    [counters.requestsInFlight],
  ]);
  const dropped = { name: 'access_log_dropped_total', help: 'Log lines lost, the reader behind.' };
  counter(registry, dropped, () => [[log?.dropped ?? 0]]);
}

function addTrafficMetrics(registry: Registry, { traffic }: MetricSources): void {
  const codes = {
    name: 'requests_total',
    help: 'Requests answered.',
    labelNames: ['group', 'code'],
  };
  counter(registry, codes, function* read() {
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
  counter(registry, reasons, function* read() {
    for (const [group, { byReason }] of traffic.groups) {
      for (const [reason, count] of byReason) yield [count, { group, reason }];
    }
  });
  const bytes = {
    name: 'bytes_total',
    help: 'Heads and bodies from (in) and to (out) clients.',
    labelNames: ['group', 'direction'],
  };
  counter(registry, bytes, function* read() {
    for (const [group, { requestBytes, responseBytes }] of traffic.groups) {
      yield [requestBytes, { group, direction: 'in' }];
      yield [responseBytes, { group, direction: 'out' }];
    }
  });
  registry.registerMetric(createDurationHistogram(traffic));
}

function addTargetMetrics(registry: Registry, { groups }: MetricSources): void {
  const age = {
    name: 'picture_age_seconds',
    help: 'Since the registry last proved the picture current; absent before the first.',
    labelNames: ['group'],
  };
  gauge(registry, age, function* read() {
    for (const group of groups) {
      if (group.hasPicture) yield [group.pictureAgeMs / 1_000, { group: group.name }];
    }
  });
  const states = { name: 'targets', help: 'Targets by state.', labelNames: ['group', 'state'] };
  gauge(registry, states, function* read() {
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
  counter(
    registry,
    attempts,
    each(({ counters }) => counters.requests),
  );
  const failures = {
    name: 'target_failures_total',
    help: 'Attempts without an answer.',
    labelNames,
  };
  counter(
    registry,
    failures,
    each(({ counters }) => counters.failures),
  );
  const inFlight = { name: 'target_in_flight', help: 'Requests under way.', labelNames };
  gauge(
    registry,
    inFlight,
    each(({ counters }) => counters.inFlight),
  );
}

function addServiceMetrics(
  registry: Registry,
  { balancer, tcp, udp, refusals }: BalancedServices,
): void {
  const states = {
    name: 'services',
    help: 'Services of type LoadBalancer, with and without an address.',
    labelNames: ['state'],
  };
  gauge(registry, states, () => {
    const all = [...balancer.services()];
    const bound = all.filter(({ address }) => address !== undefined).length;
    return [
      [bound, { state: 'bound' }],
      [all.length - bound, { state: 'pending' }],
    ];
  });
  const open = { name: 'service_connections', help: 'TCP connections open.' };
  gauge(registry, open, () => [[tcp.open]]);
  const accepted = { name: 'service_connections_total', help: 'TCP connections accepted.' };
  counter(registry, accepted, () => [[tcp.accepted]]);
  gauge(registry, { name: 'service_udp_flows', help: 'UDP flows open.' }, () => [[udp.flows]]);
  const refused = {
    name: 'service_refused_total',
    help: 'Clients of services turned away.',
    labelNames: ['reason'],
  };
  counter(registry, refused, () =>
    Object.entries(refusals).map(([reason, value]): Sample => [value, { reason }]),
  );
}
