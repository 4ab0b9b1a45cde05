import type { Supervisor } from '@rollcall/daemon';
import type { Config } from './config.ts';
import type { SecretSeal } from './access/secret-seal.ts';
import type { Admission } from './access/admission.ts';
import type { AddressRules } from './writes/declared/drafts/address-rules.ts';
import { Collector } from './upkeep/collector.ts';
import type { ObjectRef } from './picture/declared/object-key.ts';
import { ObjectViews } from './views/object-views.ts';
import { type Declaring, declaringOf } from './writes/declared/declaring.ts';
import { Follower, type FollowerEvents } from './picture/follower.ts';
import { Picture } from './picture/picture.ts';
import { Quota, type QuotaLimits } from './access/quota.ts';
import { Registry } from './writes/registry.ts';
import { seenDrainOf, SeenDrains } from './writes/seen-drains.ts';
import { Sweeper } from './upkeep/sweeper.ts';
import { EventLog } from './views/timeline.ts';
import { WarmUp } from './upkeep/warm-up.ts';
import type { Clock, Random } from '@rollcall/runtime';
import { GuardedClock } from './runtime/guarded-clock.ts';
import type { LogEntry } from './store/log-entry.ts';
import { type ResourceRecord, SEEN } from './store/record.ts';
import type { Store } from './store/store.ts';
import { HoldTracker } from './watch/holds.ts';
import { WatchHub } from './watch/hub.ts';

const TIMELINE_EVENTS = 10_000;

/** Events about the store, for the log. */
export interface StoreEvents extends Pick<
  FollowerEvents,
  'reachable' | 'restored' | 'loaded' | 'unreadable'
> {
  /** The store refuses writes, or accepts them again. */
  writable(isWritable: boolean, error: Error | undefined): void;
}

export interface CoreParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs the loops, and records faults that no caller would see. */
  readonly supervisor: Supervisor;
  readonly admission: Admission;
  readonly rules: AddressRules;
  /** Encrypts Secrets; undefined: they are refused. */
  readonly seal: SecretSeal | undefined;
  readonly config: Pick<
    Config,
    'warmUpMs' | 'storePartition' | 'maxInstancesPerService' | 'flapHoldMs' | keyof QuotaLimits
  >;
  /** Gets the events about the store. */
  readonly told: StoreEvents;
}

/** A registry server without HTTP: its state, its rules and its streams. */
export interface Core {
  readonly picture: Picture;
  readonly timeline: EventLog;
  readonly warmUp: WarmUp;
  readonly hub: WatchHub;
  readonly seenDrains: SeenDrains;
  readonly admission: Admission;
  readonly registry: Registry;
  readonly quota: Quota;
  readonly declaring: Declaring;
  readonly holds: HoldTracker;
  readonly follower: Follower;
  readonly sweeper: Sweeper;
  /** Ends its timers and streams. The caller that runs the follower must end that. May be called twice. */
  close(): void;
}

/** Assembles a server's core over a store. It sweeps at once; its picture is empty until the follower runs. */
export function createCore(parts: CoreParts): Core {
  const { store, random, supervisor, admission, config, told } = parts;
  const clock = new GuardedClock(parts.clock, supervisor);
  const { maxInstancesPerService, storePartition: partition } = config;
  const picture = new Picture(clock, (key, error) => {
    supervisor.report('picture', new Error(`service ${key}`, { cause: error }));
  });
  const timeline = new EventLog(TIMELINE_EVENTS);
  const warmUp = new WarmUp(clock, config.warmUpMs);
  const { flapHoldMs } = config;
  const seenDrains = new SeenDrains({ store, picture, clock, supervisor });
  const onSeen: SeenDrains['report'] = (key, revision) => seenDrains.report(key, revision);
  const hub = new WatchHub(picture, { clock, random, supervisor, flapHoldMs, onSeen });
  const quota = new Quota(config, picture);
  const registry = new Registry({
    store,
    picture,
    admission,
    random,
    quota,
    maxInstancesPerService,
    partition,
  });
  const declaring = declaringOf({ ...parts, picture, clock, derived: derivedIn(picture) });
  const collector = new Collector(declaring.owned, supervisor);
  const holds = new HoldTracker(registry, clock, supervisor);
  const follower = new Follower(
    { store, picture, clock, supervisor },
    followerEvents({ picture, timeline, holds, hub, warmUp, told }),
  );
  const sweeper = new Sweeper({
    store,
    clock,
    supervisor,
    floor: () => picture.revision,
    onWritable: (isWritable, error) => told.writable(isWritable, error),
  });
  const close = () => {
    sweeper.close();
    collector.close();
    declaring.close();
    hub.close();
    holds.close();
  };
  return {
    picture,
    timeline,
    warmUp,
    hub,
    seenDrains,
    admission,
    registry,
    quota,
    declaring,
    holds,
    follower,
    sweeper,
    close,
  };
}

/** The objects of kinds that the registry makes itself. */
function derivedIn(picture: Picture) {
  const views = new ObjectViews(picture);
  return ({ kind, namespace, name }: ObjectRef) =>
    kind === 'Endpoints' || kind === 'EndpointSlice' ? views.get(kind, namespace, name) : undefined;
}

/** Passes the follower's events on to the other parts. */
function followerEvents(
  parts: Pick<Core, 'picture' | 'timeline' | 'holds' | 'hub' | 'warmUp'> & Pick<CoreParts, 'told'>,
): FollowerEvents {
  const { picture, timeline, holds, hub, warmUp, told } = parts;
  return {
    ...told,
    applied(entries, changes) {
      timeline.append(entries);
      // Another server restored what the store had lost, except the hold numbers: these leases get new ones.
      const restored = restoredIn(entries);
      if (restored.size > 0) void holds.renumber((_, lease) => restored.has(lease));
      hub.publish(entries, changes);
      noteSeen(
        hub,
        entries.flatMap((entry) => (entry.op === 'put' ? [entry.resource] : [])),
      );
    },
    relisted(changes, hasForgotten) {
      hub.relisted(changes, hasForgotten);
      noteSeen(hub, picture.roll?.resourcesBelow(SEEN) ?? []);
      // The store may have lost the hold numbers, and another server may have restored the leases.
      void holds.renumber();
    },
    loaded(isWhole) {
      if (!isWhole) warmUp.start();
      told.loaded(isWhole);
    },
  };
}

/** Takes in what other servers report of drains. */
function noteSeen(hub: WatchHub, resources: Iterable<ResourceRecord>): void {
  for (const resource of resources) {
    const seen = seenDrainOf(resource);
    if (seen !== undefined) hub.acknowledgements.reported(seen);
  }
}

/** The leases that were restored from a server's picture. */
function restoredIn(entries: readonly LogEntry[]): ReadonlySet<string> {
  const leases = entries.flatMap((entry) =>
    entry.why === 'restored' && entry.op === 'set' ? [entry.record.lease] : [],
  );
  return new Set(leases);
}
