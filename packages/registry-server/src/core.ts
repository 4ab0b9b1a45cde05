import type { Supervisor } from '@rollcall/daemon';
import type { Config } from './config.ts';
import type { Admission } from './access/admission.ts';
import type { AddressRules } from './writes/declared/address-rules.ts';
import { Declarer } from './writes/declared/declarer.ts';
import { ThreadedReader } from './writes/declared/manifest-reader.ts';
import { Follower, type FollowerEvents } from './picture/follower.ts';
import { Picture } from './picture/picture.ts';
import { Quota, type QuotaLimits } from './access/quota.ts';
import { Registry } from './writes/registry.ts';
import { Sweeper } from './upkeep/sweeper.ts';
import { TimelineBook } from './views/timeline.ts';
import { WarmUp } from './upkeep/warm-up.ts';
import type { Clock, Random } from '@rollcall/runtime';
import { GuardedClock } from './runtime/guarded-clock.ts';
import type { LogEntry } from './store/log-entry.ts';
import type { Store } from './store/store.ts';
import { HoldDesk } from './watch/holds.ts';
import { WatchHub } from './watch/hub.ts';

const TIMELINE_EVENTS = 10_000;

/** What a server tells of its store. */
export interface StoreEvents extends Pick<
  FollowerEvents,
  'reachable' | 'restored' | 'loaded' | 'unreadable'
> {
  /** It refuses writes, or takes them again. */
  writable(isWritable: boolean, error: Error | undefined): void;
}

export interface CoreParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs the loops, and hears what of their faults is nobody's fault outside. */
  readonly supervisor: Supervisor;
  readonly admission: Admission;
  readonly rules: AddressRules;
  readonly config: Pick<
    Config,
    'warmUpMs' | 'storePartition' | 'maxInstancesPerService' | 'flapHoldMs' | keyof QuotaLimits
  >;
  /** What is told of the store. */
  readonly told: StoreEvents;
}

/** A registry server without its face: what it knows, what it may, and whom it tells. */
export interface Core {
  readonly picture: Picture;
  readonly timeline: TimelineBook;
  readonly warmUp: WarmUp;
  readonly hub: WatchHub;
  readonly registry: Registry;
  readonly quota: Quota;
  readonly declarer: Declarer;
  readonly holds: HoldDesk;
  readonly follower: Follower;
  readonly sweeper: Sweeper;
  /** Ends its timers and streams. Whoever runs the follower ends that. Twice does no harm. */
  close(): void;
}

/** Wires a server's core over a store. It sweeps from now on; its picture is empty until the follower runs. */
export function createCore(parts: CoreParts): Core {
  const { store, random, supervisor, admission, rules, config, told } = parts;
  const clock = new GuardedClock(parts.clock, supervisor);
  const { maxInstancesPerService, storePartition: partition } = config;
  const picture = new Picture(clock, (key, error) => {
    supervisor.note('picture', new Error(`service ${key}`, { cause: error }));
  });
  const timeline = new TimelineBook(TIMELINE_EVENTS);
  const warmUp = new WarmUp(clock, config.warmUpMs);
  const { flapHoldMs } = config;
  const hub = new WatchHub(picture, { clock, random, supervisor, flapHoldMs });
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
  const reader = new ThreadedReader(clock);
  const declarer = new Declarer({ store, picture, rules, random, clock, reader });
  const holds = new HoldDesk(registry, clock, supervisor);
  const follower = new Follower(
    { store, picture, clock, supervisor },
    followerEvents({ timeline, holds, hub, warmUp, told }),
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
    reader.close();
    hub.close();
    holds.close();
  };
  return {
    picture,
    timeline,
    warmUp,
    hub,
    registry,
    quota,
    declarer,
    holds,
    follower,
    sweeper,
    close,
  };
}

/** Whom the follower tells what. */
function followerEvents(
  parts: Pick<Core, 'timeline' | 'holds' | 'hub' | 'warmUp'> & Pick<CoreParts, 'told'>,
): FollowerEvents {
  const { timeline, holds, hub, warmUp, told } = parts;
  return {
    ...told,
    applied(entries, changes) {
      timeline.note(entries);
      // Another server restored what the store had lost, but numbers of holds cannot be restored: they are drawn anew.
      const restored = restoredIn(entries);
      if (restored.size > 0) void holds.renumber((_, lease) => restored.has(lease));
      hub.publish(entries, changes);
    },
    relisted(changes, hasForgotten) {
      hub.relisted(changes, hasForgotten);
      // Whatever came between, the store may have lost the numbers, and another server have given the leases back.
      void holds.renumber();
    },
    loaded(isWhole) {
      if (!isWhole) warmUp.begin();
      told.loaded(isWhole);
    },
  };
}

/** The leases that came back to the store with somebody's picture. */
function restoredIn(entries: readonly LogEntry[]): ReadonlySet<string> {
  const leases = entries.flatMap((entry) =>
    entry.why === 'restored' && entry.op === 'set' ? [entry.record.lease] : [],
  );
  return new Set(leases);
}
