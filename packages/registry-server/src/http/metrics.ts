import type { LoopFaults } from '@rollcall/daemon';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Metrics } from 'prom-client';
import type { Follower } from '../registry/follower.ts';
import type { Picture } from '../registry/picture.ts';
import type { Quota } from '../registry/quota.ts';
import type { Sweeper } from '../registry/sweeper.ts';
import type { LoadGate } from './load/load-gate.ts';
import type { HoldDesk } from '../watch/holds.ts';
import type { WatchHub } from '../watch/hub.ts';

export interface MetricSources {
  readonly picture: Picture;
  readonly follower: Follower;
  readonly sweeper: Sweeper;
  readonly hub: WatchHub;
  readonly holds: HoldDesk;
  readonly gate: LoadGate;
  readonly quota: Quota;
  readonly supervisor: LoopFaults;
}

/** How many unreadable records are named: their keys come from elsewhere. */
const NAMED = 100;

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The server's metrics. Gauges are read when asked for; only requests are counted as they happen. */
export class ServerMetrics {
  readonly #metrics = new Metrics();
  readonly #requests: Histogram<'route' | 'status'>;

  constructor(sources: MetricSources) {
    collectDefaultMetrics({ register: this.#metrics });
    this.#requests = new Histogram({
      name: 'rollcall_http_request_seconds',
      help: 'Time to answer a request, by route and status.',
      labelNames: ['route', 'status'],
      buckets: BUCKETS,
      registers: [this.#metrics],
    });
    this.#roll(sources);
    this.#loops(sources);
    this.#streams(sources);
    this.#load(sources);
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  text(): Promise<string> {
    return this.#metrics.metrics();
  }

  /** Counts every answer of a server. */
  observe(app: FastifyInstance): void {
    // One entry for each route and status: looking its labels up anew costs as much as a heartbeat's own work.
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
    new Counter({
      name: 'rollcall_internal_faults_total',
      help: 'Faults of the server itself in a background loop, which went on; the log has the stack.',
      labelNames: ['loop'],
      registers: [this.#metrics],
      collect() {
        this.reset();
        for (const [loop, count] of supervisor.faults) this.inc({ loop }, count);
      },
    });
    const help =
      'Time since a sweep of this server went well: while it grows, nobody is evicted by it.';
    this.#gauge('rollcall_sweep_last_success_seconds', help, () => sweeper.ageMs / 1_000);
  }

  #roll({ picture, follower, sweeper }: MetricSources): void {
    this.#gauge('rollcall_services', 'Services with instances on the roll.', () => {
      return picture.roll?.services.size ?? 0;
    });
    this.#gauge('rollcall_instances', 'Instances on the roll.', () => {
      let count = 0;
      for (const roll of picture.roll?.services.values() ?? []) count += roll.size;
      return count;
    });
    this.#gauge(
      'rollcall_revision',
      'Last revision that this server has seen.',
      () => picture.revision,
    );
    this.#gauge(
      'rollcall_store_age_seconds',
      'Time since the store last proved the picture.',
      () => {
        return picture.isLoaded ? picture.ageMs() / 1_000 : -1;
      },
    );
    this.#gauge('rollcall_store_reachable', '1 when the store answers.', () => {
      return follower.isStoreReachable ? 1 : 0;
    });
    this.#counter('rollcall_expired_total', 'Instances evicted by this server.', () => {
      return sweeper.totals.expired;
    });
    new Gauge({
      name: 'rollcall_unreadable_records',
      help: 'Records in the store that cannot be read and are left out, the first hundred by name.',
      labelNames: ['record'],
      registers: [this.#metrics],
      collect() {
        this.reset();
        const { unreadable } = picture;
        for (const record of [...unreadable.keys()].slice(0, NAMED)) this.set({ record }, 1);
        if (unreadable.size > NAMED) this.set({ record: 'others' }, unreadable.size - NAMED);
      },
    });
    this.#counter('rollcall_guarded_total', 'Silent instances that the guard kept.', () => {
      return sweeper.totals.guarded;
    });
  }

  #streams({ hub, holds }: MetricSources): void {
    this.#gauge('rollcall_watch_streams', 'Open watch streams.', () => hub.size);
    this.#gauge('rollcall_hold_streams', 'Open hold streams.', () => holds.size);
    const { totals } = hub;
    this.#counter('rollcall_changes_total', 'Changes sent to watchers.', () => totals.changes);
    this.#counter(
      'rollcall_changes_coalesced_total',
      'Changes of flapping endpoints that went out together with later ones, or not at all.',
      () => hub.damped.coalesced,
    );
    const held = 'Services of which changes of a flapping endpoint are held back now.';
    this.#gauge('rollcall_flapping_services', held, () => hub.damped.services);
    this.#counter(
      'rollcall_watch_parked_total',
      'Times a slow watcher was parked.',
      () => totals.parked,
    );
    this.#counter('rollcall_watch_dropped_total', 'Slow watchers dropped.', () => totals.dropped);
    this.#counter(
      'rollcall_watch_resumed_total',
      'Watches resumed without a snapshot.',
      () => totals.resumed,
    );
    this.#counter(
      'rollcall_holds_broken_total',
      'Holds closed by the other side.',
      () => holds.totals.broken,
    );
    this.#counter('rollcall_suspected_total', 'Instances made suspect by this server.', () => {
      return holds.totals.suspected;
    });
  }

  #load({ gate, quota, hub, holds }: MetricSources): void {
    this.#gauge('rollcall_requests_in_flight', 'Requests under way.', () => gate.inFlight);
    const help = 'Standing delay of the event loop: the least of the last three looks at it.';
    this.#gauge('rollcall_loop_delay_seconds', help, () => gate.loopDelayMs / 1_000);
    new Counter({
      name: 'rollcall_refused_total',
      help: 'Requests refused because there was too much to do or a caller wanted too much, by reason.',
      labelNames: ['reason'],
      registers: [this.#metrics],
      collect() {
        this.reset();
        for (const [reason, count] of gate.refusals.counts) this.inc({ reason }, count);
        const { overQuota } = hub.totals;
        this.inc({ reason: 'quota' }, quota.totals.refused + overQuota + holds.totals.overQuota);
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#metrics],
      collect() {
        this.set(read());
      },
    });
  }

  #counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#metrics],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
