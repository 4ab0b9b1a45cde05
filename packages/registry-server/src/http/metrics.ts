import { type LoopFaults, ProgramMetrics } from '@rollcall/daemon';
import type { FastifyInstance } from 'fastify';
import { Histogram } from 'prom-client';
import type { Follower } from '../picture/follower.ts';
import type { Picture } from '../picture/picture.ts';
import type { Quota } from '../access/quota.ts';
import type { Sweeper } from '../upkeep/sweeper.ts';
import type { LoadGate } from './load/load-gate.ts';
import type { HoldTracker } from '../watch/holds.ts';
import type { WatchHub } from '../watch/hub.ts';

export interface MetricSources {
  readonly picture: Picture;
  readonly follower: Follower;
  readonly sweeper: Sweeper;
  readonly hub: WatchHub;
  readonly holds: HoldTracker;
  readonly gate: LoadGate;
  readonly quota: Quota;
  readonly supervisor: LoopFaults;
}

/** How many unreadable records are named. Bounded, since other programs may have written their keys. */
const NAMED = 100;

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The server's metrics. Gauges are read on demand; only requests are counted as they happen. */
export class ServerMetrics {
  readonly #metrics = new ProgramMetrics('rollcall');
  readonly #requests: Histogram<'route' | 'status'>;

  constructor(sources: MetricSources) {
    this.#requests = new Histogram({
      name: 'rollcall_http_request_seconds',
      help: 'Time to answer a request, by route and status.',
      labelNames: ['route', 'status'],
      buckets: BUCKETS,
      registers: [this.#metrics.registry],
    });
    this.#roll(sources);
    this.#loops(sources);
    this.#streams(sources);
    this.#load(sources);
  }

  get contentType(): string {
    return this.#metrics.registry.contentType;
  }

  text(): Promise<string> {
    return this.#metrics.registry.metrics();
  }

  /** Counts every answer of a server. */
  observe(app: FastifyInstance): void {
    // One entry per route and status: looking up the labels each time costs as much as the work of a heartbeat.
    const known = new Map<string, Map<number, (seconds: number) => void>>();
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown';
      let byStatus = known.get(route);
      if (byStatus === undefined) known.set(route, (byStatus = new Map()));
      let observe = byStatus.get(reply.statusCode);
      if (observe === undefined) {
        const child = this.#requests.labels({ route, status: String(reply.statusCode) });
        observe = (seconds) => child.observe(seconds);
        byStatus.set(reply.statusCode, observe);
      }
      observe(reply.elapsedTime / 1_000);
      done();
    });
  }

  #loops({ supervisor, sweeper }: MetricSources): void {
    this.#metrics.loops(supervisor);
    const help =
      'Time since the last successful sweep of this server; while it grows, this server evicts nothing.';
    this.#metrics.level('sweep_last_success_seconds', help, () => sweeper.ageMs / 1_000);
  }

  #roll({ picture, follower, sweeper }: MetricSources): void {
    this.#metrics.level('services', 'Services with instances on the roll.', () => {
      return picture.roll?.services.size ?? 0;
    });
    this.#metrics.level('instances', 'Instances on the roll.', () => {
      let count = 0;
      for (const roll of picture.roll?.services.values() ?? []) count += roll.size;
      return count;
    });
    this.#metrics.level(
      'revision',
      'Last revision that this server has seen.',
      () => picture.revision,
    );
    this.#metrics.level(
      'store_age_seconds',
      'Time since the store last confirmed the picture.',
      () => {
        return picture.isLoaded ? picture.ageMs() / 1_000 : -1;
      },
    );
    this.#metrics.level('store_reachable', '1 when the store answers.', () => {
      return follower.isStoreReachable ? 1 : 0;
    });
    this.#metrics.plainCounter('expired_total', 'Instances evicted by this server.', () => {
      return sweeper.totals.expired;
    });
    const unreadable = {
      name: 'unreadable_records',
      help: 'Records in the store that cannot be read and are left out, the first hundred by name.',
      labelNames: ['record'],
    };
    this.#metrics.gauge(unreadable, function* read() {
      const records = picture.unreadable;
      for (const record of [...records.keys()].slice(0, NAMED)) yield [1, { record }];
      if (records.size > NAMED) yield [records.size - NAMED, { record: 'others' }];
    });
    this.#metrics.plainCounter('guarded_total', 'Silent instances that the guard kept.', () => {
      return sweeper.totals.guarded;
    });
  }

  #streams({ hub, holds }: MetricSources): void {
    this.#metrics.level('watch_streams', 'Open watch streams.', () => hub.size);
    this.#metrics.level('hold_streams', 'Open hold streams.', () => holds.size);
    const { totals } = hub;
    this.#metrics.plainCounter('changes_total', 'Changes sent to watchers.', () => totals.changes);
    this.#metrics.plainCounter(
      'changes_coalesced_total',
      'Changes of flapping endpoints that were merged into later ones or never sent.',
      () => hub.damped.coalesced,
    );
    const held = 'Services with held-back changes of a flapping endpoint.';
    this.#metrics.level('flapping_services', held, () => hub.damped.services);
    this.#metrics.plainCounter(
      'watch_parked_total',
      'Times a slow watcher was parked.',
      () => totals.parked,
    );
    this.#metrics.plainCounter(
      'watch_dropped_total',
      'Slow watchers dropped.',
      () => totals.dropped,
    );
    this.#metrics.plainCounter(
      'watch_resumed_total',
      'Watches resumed without a snapshot.',
      () => totals.resumed,
    );
    this.#metrics.plainCounter(
      'holds_broken_total',
      'Holds closed by the other side.',
      () => holds.totals.broken,
    );
    this.#metrics.plainCounter('suspected_total', 'Instances made suspect by this server.', () => {
      return holds.totals.suspected;
    });
  }

  #load({ gate, quota, hub, holds }: MetricSources): void {
    this.#metrics.level('requests_in_flight', 'Requests in progress.', () => gate.inFlight);
    const help = 'Standing delay of the event loop: the least of the last three looks at it.';
    this.#metrics.level('loop_delay_seconds', help, () => gate.loopDelayMs / 1_000);
    const refused = {
      name: 'refused_total',
      help: 'Requests refused because of overload or of the limits of a caller, by reason.',
      labelNames: ['reason'],
    };
    this.#metrics.counter(refused, function* read() {
      for (const [reason, count] of gate.refusals.counts) yield [count, { reason }];
      const overQuota = hub.totals.overQuota + holds.totals.overQuota;
      yield [quota.totals.refused + overQuota, { reason: 'quota' }];
    });
  }
}
