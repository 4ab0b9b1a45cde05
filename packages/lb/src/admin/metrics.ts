import { type LoopFaults, ProgramMetrics, type Sample } from '@rollcall/daemon';
import type { HttpCounters } from '@rollcall/dataplane';
import type { Registry } from 'prom-client';
import type { FrontReport } from '../front/front-report.ts';
import type { WorkersState } from '../front/front.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { addTlsMetrics } from './tls-metrics.ts';
import type { ReloadState } from '../reload/reloader.ts';
import type { BalancedServices } from '../services/serve-services.ts';
import { createDurationHistogram } from './duration-histogram.ts';
import { addReloadMetrics } from './reload-metrics.ts';
import { addServiceMetrics } from './service-metrics.ts';
import { addWorkerMetrics } from './worker-metrics.ts';

export interface MetricSources {
  /** Asked once for each scrape. */
  readonly report: () => FrontReport | Promise<FrontReport>;
  readonly groups: () => readonly LiveTargetGroup[];
  readonly services: BalancedServices | undefined;
  readonly tls: BalancerTls;
  /** Undefined: there are none. */
  readonly workers: (() => WorkersState) | undefined;
  readonly supervisor: LoopFaults | undefined;
  /** Undefined: the configuration is not one of a file. */
  readonly reloads: (() => ReloadState) | undefined;
}

type Read = () => FrontReport;

const STATES = ['healthy', 'unhealthy', 'initial', 'draining', 'unused', 'ejected'] as const;

/** All metrics. Their values are read from plain numbers at each scrape, so the hot path does not deal with metrics. */
export function createMetrics(sources: MetricSources): Pick<Registry, 'metrics' | 'contentType'> {
  const metrics = new ProgramMetrics('rollcall_lb');
  let latest: FrontReport | undefined;
  const read = () => latest!;
  if (sources.supervisor !== undefined) metrics.loops(sources.supervisor);
  addTlsMetrics(metrics, sources.tls, read);
  addServerMetrics(metrics, read);
  addTrafficMetrics(metrics, read);
  addPictureMetrics(metrics, sources.groups);
  addTargetMetrics(metrics, read);
  if (sources.workers !== undefined) addWorkerMetrics(metrics, sources.workers);
  if (sources.services !== undefined) addServiceMetrics(metrics, sources.services);
  if (sources.reloads !== undefined) addReloadMetrics(metrics, sources.reloads);
  const { registry } = metrics;
  return {
    contentType: registry.contentType,
    async metrics() {
      latest = await sources.report();
      return registry.metrics();
    },
  };
}

function addServerMetrics(metrics: ProgramMetrics, read: Read): void {
  const plain = (name: string, help: string, key: keyof HttpCounters): void =>
    metrics.plainCounter(name, help, () => read().counters[key]);
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
  const level = (name: string, help: string, key: keyof HttpCounters): void =>
    metrics.level(name, help, () => read().counters[key]);
  level('connections', 'Client connections open.', 'connectionsOpen');
  level('requests_in_flight', 'Requests in progress.', 'requestsInFlight');
  const dropped = 'Log lines lost because the reader was too slow.';
  metrics.plainCounter('access_log_dropped_total', dropped, () => read().droppedLines);
}

function addTrafficMetrics(metrics: ProgramMetrics, read: Read): void {
  const codes = {
    name: 'requests_total',
    help: 'Requests answered.',
    labelNames: ['group', 'code'],
  };
  metrics.counter(codes, function* samples() {
    for (const [group, { byClass }] of Object.entries(read().traffic)) {
      for (let digit = 1; digit <= 5; digit++) {
        yield [byClass[digit] ?? 0, { group, code: `${digit}xx` }];
      }
    }
  });
  const reasons = {
    name: 'refusals_total',
    help: 'Answers made or cut short by the balancer, by reason.',
    labelNames: ['group', 'reason'],
  };
  metrics.counter(reasons, function* samples() {
    for (const [group, { byReason }] of Object.entries(read().traffic)) {
      for (const [reason, count] of Object.entries(byReason)) yield [count, { group, reason }];
    }
  });
  const bytes = {
    name: 'bytes_total',
    help: 'Heads and bodies from (in) and to (out) clients.',
    labelNames: ['group', 'direction'],
  };
  metrics.counter(bytes, function* samples() {
    for (const [group, { requestBytes, responseBytes }] of Object.entries(read().traffic)) {
      yield [requestBytes, { group, direction: 'in' }];
      yield [responseBytes, { group, direction: 'out' }];
    }
  });
  metrics.registry.registerMetric(createDurationHistogram(read));
}

function addPictureMetrics(metrics: ProgramMetrics, groups: MetricSources['groups']): void {
  const age = {
    name: 'picture_age_seconds',
    help: 'Time since the registry last confirmed that the picture is current; absent before the first time.',
    labelNames: ['group'],
  };
  metrics.gauge(age, function* samples() {
    for (const group of groups()) {
      if (group.hasPicture) yield [group.pictureAgeMs / 1_000, { group: group.name }];
    }
  });
}

function addTargetMetrics(metrics: ProgramMetrics, read: Read): void {
  const waiting = {
    name: 'queue_length',
    help: 'Requests that wait because every target has as many as it may have.',
    labelNames: ['group'],
  };
  metrics.gauge(waiting, () =>
    Object.entries(read().queues).map(([group, count]): Sample => [count, { group }]),
  );
  const states = { name: 'targets', help: 'Targets by state.', labelNames: ['group', 'state'] };
  metrics.gauge(states, function* samples() {
    for (const [group, targets] of Object.entries(read().targets)) {
      for (const state of STATES) {
        const count = targets.filter((target) => target.state === state).length;
        yield [count, { group, state }];
      }
    }
  });
  const labelNames = ['group', 'target'];
  const each = (key: 'requests' | 'failures' | 'inFlight') =>
    function* samples(): Generator<Sample> {
      for (const [group, targets] of Object.entries(read().targets)) {
        for (const target of targets) yield [target[key], { group, target: target.id }];
      }
    };
  const attempts = { name: 'target_requests_total', help: 'Attempts on a target.', labelNames };
  metrics.counter(attempts, each('requests'));
  const help = 'Attempts without an answer.';
  metrics.counter({ name: 'target_failures_total', help, labelNames }, each('failures'));
  const underWay = { name: 'target_in_flight', help: 'Requests in progress.', labelNames };
  metrics.gauge(underWay, each('inFlight'));
}
