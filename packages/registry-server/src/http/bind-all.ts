import type { Supervisor } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { FastifyInstance } from 'fastify';
import type { Admission, RegistrationLimits } from '../access/admission.ts';
import type { Quota } from '../access/quota.ts';
import type { SecretSeal } from '../access/secret-seal.ts';
import type { Tokens } from '../access/tokens.ts';
import type { Follower } from '../picture/follower.ts';
import type { Picture } from '../picture/picture.ts';
import type { Store } from '../store/store.ts';
import type { Sweeper } from '../upkeep/sweeper.ts';
import type { WarmUp } from '../upkeep/warm-up.ts';
import { ObjectViews } from '../views/object-views.ts';
import type { EventLog } from '../views/timeline.ts';
import { TrafficBoard } from '../views/traffic-board.ts';
import type { HoldTracker } from '../watch/holds.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { AddressRules } from '../writes/declared/drafts/address-rules.ts';
import type { Declaring } from '../writes/declared/declaring.ts';
import { Reports } from '../writes/declared/reports.ts';
import { Importer } from '../writes/durable/importer.ts';
import type { Registry } from '../writes/registry.ts';
import type { SeenDrains } from '../writes/seen-drains.ts';
import { bindAcknowledgements } from './acknowledgements.ts';
import { RouteBinder } from './bind.ts';
import { bindDurable } from './durable.ts';
import { bindInstances } from './instances.ts';
import { bindLeases } from './leases.ts';
import { ByCaller } from './load/by-caller.ts';
import type { LoadGate } from './load/load-gate.ts';
import { RateLimiter } from './load/rate-limiter.ts';
import { ReadQueue } from './load/read-queue.ts';
import { bindManifests } from './manifests.ts';
import { ServerMetrics } from './metrics.ts';
import { bindOperations } from './operations.ts';
import { bindReads } from './reads.ts';
import { bindSecrets } from './secrets.ts';
import { bindTraffic } from './traffic.ts';
import type { RefusedTokens } from './refused-tokens.ts';
import { bindWatch } from './watch.ts';

/** The parts that the routes use. */
export interface RouteParts {
  readonly core: {
    readonly picture: Picture;
    readonly timeline: EventLog;
    readonly warmUp: WarmUp;
    readonly hub: WatchHub;
    readonly seenDrains: SeenDrains;
    readonly admission: Admission;
    readonly holds: HoldTracker;
    readonly registry: Registry;
    readonly declaring: Declaring;
    readonly quota: Quota;
    readonly follower: Follower;
    readonly sweeper: Sweeper;
  };
  readonly store: Store;
  readonly rules: AddressRules;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
  /** Random, another one at each start: two addresses may lead to one server. */
  readonly serverId: string;
  readonly tokens: Tokens;
  /** Opens Secrets; undefined: there are none here. */
  readonly seal: SecretSeal | undefined;
  readonly gate: LoadGate;
  readonly refused: RefusedTokens;
  readonly isClosing: () => boolean;
}

/** Limits for callers; 0 = no limit. */
export interface RouteLimits extends RegistrationLimits {
  readonly maxReadsPerSecond: number;
  readonly maxWritesPerSecond: number;
  readonly maxHeartbeatsPerSecond: number;
  readonly maxSnapshotsPerSecond: number;
  readonly maxWatches: number;
  readonly maxWatchesPerToken: number;
  readonly maxHolds: number;
  readonly maxBodyBytes: number;
  readonly maxImportBytes: number;
}

/** Registers every route on a server. */
export function bindAll(app: FastifyInstance, limits: RouteLimits, parts: RouteParts): void {
  const { core, store, rules, clock, supervisor, tokens, gate, refused, isClosing } = parts;
  const { picture, timeline, warmUp, hub, holds, registry, quota } = core;
  const { follower, sweeper } = core;
  const sources = { picture, follower, sweeper, hub, holds, gate, quota, supervisor };
  const metrics = new ServerMetrics(sources);
  metrics.observe(app);
  const reads = new ReadQueue({
    clock,
    maxPerSecond: limits.maxReadsPerSecond,
    onRefused: () => gate.refusals.count('read_rate'),
  });
  const binder = new RouteBinder(app, tokens, { reads, refused });
  bindInstances(binder, registry, limits);
  const paces = heartbeatPaces(limits, clock, gate);
  bindLeases(binder, { registry, holds, paces, limits });
  bindReads(binder, { picture, warmUp, timeline });
  const views = new ObjectViews(picture);
  const reports = new Reports(store, picture);
  const maxPerSecond = limits.maxWritesPerSecond;
  bindManifests(binder, { picture, declaring: core.declaring, views, reports, maxPerSecond });
  bindSecrets(binder, { picture, seal: parts.seal });
  const { maxInstancesPerService, maxImportBytes, maxWatches, maxWatchesPerToken } = limits;
  const importer = new Importer({ store, picture, rules, clock, maxInstancesPerService });
  const traffic = new TrafficBoard(clock);
  bindTraffic(binder, {
    traffic,
    picture,
    server: parts.serverId,
    maxWritesPerSecond: maxPerSecond,
  });
  bindDurable(binder, { picture, importer, maxImportBytes });
  const pace = snapshotPace(limits, clock, gate);
  const watched = { picture, hub, warmUp, maxWatches, maxWatchesPerToken, isClosing };
  bindWatch(binder, { ...watched, snapshotPace: pace });
  const { seenDrains, admission } = core;
  bindAcknowledgements(binder, {
    picture,
    hub,
    seenDrains,
    admission,
    clock,
    maxWritesPerSecond: maxPerSecond,
  });
  bindOperations(app, { picture, follower, sweeper, metrics, isClosing });
}

function heartbeatPaces(
  { maxHeartbeatsPerSecond }: RouteLimits,
  clock: Clock,
  { refusals }: LoadGate,
) {
  if (maxHeartbeatsPerSecond === 0) return undefined;
  const onRefused = () => refusals.count('heartbeat_rate');
  return new ByCaller(() => new RateLimiter(clock, maxHeartbeatsPerSecond, onRefused));
}

function snapshotPace(
  { maxSnapshotsPerSecond }: RouteLimits,
  clock: Clock,
  { refusals }: LoadGate,
) {
  if (maxSnapshotsPerSecond === 0) return undefined;
  return new RateLimiter(clock, maxSnapshotsPerSecond, () => refusals.count('snapshot_rate'));
}
