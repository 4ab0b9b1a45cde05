import type { Instance } from './instance.ts';
import type { ServerSlot } from './registry-server.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;

/** The most that a failover loses, in ms. */
export const LONGEST_LOSS_MS = 1_500;

/** A silent stream is given up after this, in ms: lost bytes may have effects for this long after the loss ends. */
const SILENCE_MS = 14_000;

interface Fault {
  /** Probability relative to the other faults. */
  readonly weight: number;
  /** Starts the fault; the returned function ends it. */
  begin(world: World, forMs: number): () => void;
}

const spec = (weight: number, begin: Fault['begin']): Fault => ({ weight, begin });
const nothing = () => {};

/** Disconnects pairs of machines from each other. */
function cut(world: World, pairs: readonly (readonly [string, string])[], isLost: boolean) {
  for (const [a, b] of pairs) world.network.setBoth(a, b, isLost ? 'lost' : 'held');
  return () => {
    for (const [a, b] of pairs) world.network.setBoth(a, b, 'open');
  };
}

function cutInstance(world: World, instance: Instance, isLost: boolean): () => void {
  const end = world.fault(`${instance.id} cut off`, [instance.id]);
  const mend = cut(
    world,
    world.servers.map(({ name }) => [instance.node.name, name] as const),
    isLost,
  );
  return () => {
    mend();
    end(isLost ? SILENCE_MS : 0);
  };
}

/** All watchers: any of them may be connected to this server. */
const watchersOf = (world: World) => world.watchers.map(({ name }) => name);

function someServers(world: World): ServerSlot[] {
  const picked = world.servers.filter(() => world.random.chance(0.5));
  return picked.length > 0 ? picked : [world.random.one(world.servers)];
}

/** All faults. */
export const FAULTS = {
  kill: spec(4, (world) => {
    if (world.live.length > 1) world.random.one(world.live).kill();
    return nothing;
  }),
  killHalf: spec(1, (world) => {
    const { live } = world;
    for (const instance of live.slice(0, Math.floor(live.length / 2))) instance.kill();
    return nothing;
  }),
  powerCut: spec(3, (world) => {
    if (world.live.length > 1) world.random.one(world.live).kill(true);
    return nothing;
  }),
  stop: spec(3, (world) => {
    const [instance] = world.live;
    if (instance === undefined || world.live.length < 2) return nothing;
    instance.stop();
    return () => instance.continue();
  }),
  stopAndSucceed: spec(3, (world, forMs) => {
    const [instance] = world.live;
    if (instance === undefined || world.live.length < 2) return nothing;
    instance.stop();
    const join = world.timeline.plan(forMs / 2, () => void world.join(instance.id));
    return () => {
      if (join.act !== undefined) join.act();
      join.act = undefined;
      instance.continue();
    };
  }),
  restart: spec(3, (world, forMs) => {
    const [instance] = world.live;
    if (instance === undefined || world.live.length < 2) return nothing;
    instance.kill(world.random.chance(0.3));
    world.timeline.plan(forMs / 4, () => void world.join(instance.id));
    return nothing;
  }),
  leave: spec(3, (world) => {
    if (world.live.length > 1) void world.random.one(world.live).leave();
    return nothing;
  }),
  join: spec(2, (world) => {
    world.join(`n${world.instances.length}`);
    return nothing;
  }),
  change: spec(2, (world) => {
    for (const instance of world.live) instance.change(1 + world.random.below(100));
    return nothing;
  }),
  cutInstance: spec(3, (world) => cutInstance(world, world.random.one(world.live), false)),
  loseInstance: spec(2, (world) => cutInstance(world, world.random.one(world.live), true)),
  cutWatcher: spec(3, (world) => {
    const { name } = world.random.one(world.watchers);
    const end = world.fault(`${name} cut off`, [name]);
    const isLost = world.random.chance(0.5);
    const mend = cut(
      world,
      world.servers.map((server) => [name, server.name] as const),
      isLost,
    );
    return () => {
      mend();
      end(isLost ? SILENCE_MS : 0);
    };
  }),
  /** A NAT or proxy between instances and registry restarts: every hold is closed at once. */
  resetAll: spec(3, (world) => {
    const end = world.fault('every connection reset', ['registry']);
    for (const { node } of world.instances) {
      for (const { name } of world.servers) world.network.reset(node.name, name);
    }
    return end;
  }),
  killServer: spec(4, (world) => {
    const server = world.random.one(world.servers);
    const end = world.fault(`${server.name} killed`, ['registry', ...watchersOf(world)]);
    server.kill();
    return () => {
      if (server.process === undefined) server.start();
      end();
    };
  }),
  freezeServer: spec(2, (world) => {
    const server = world.random.one(world.servers);
    const end = world.fault(`${server.name} stopped`, ['registry', ...watchersOf(world)]);
    const { process } = server;
    process?.node.stop();
    return () => {
      process?.node.continue();
      end();
    };
  }),
  rollServers: spec(3, (world) => {
    const end = world.fault('servers restarted in turn', ['registry']);
    const done = (async () => {
      for (const server of world.servers) {
        await server.leave();
        if (server.process === undefined) server.start();
      }
    })();
    return () => void done.then(() => end());
  }),
  cutServer: spec(3, (world) => {
    const servers = someServers(world);
    const breaks = ['registry', ...watchersOf(world)];
    const end = world.fault(`${servers.map(({ name }) => name).join(', ')} without store`, breaks);
    const pairs = servers.map(({ name }) => [name, world.store.name] as const);
    const mend = cut(world, pairs, world.random.chance(0.5));
    return () => {
      mend();
      end();
    };
  }),
  storeAway: spec(4, (world) => {
    const end = world.fault('store away', ['store']);
    world.store.setReachable(false);
    return () => {
      world.store.setReachable(true);
      end();
    };
  }),
  storeRestartedEmpty: spec(4, (world) => {
    const end = world.fault('store away, back empty', ['store']);
    world.store.setReachable(false);
    return () => {
      world.store.wipe();
      world.store.setReachable(true);
      end();
    };
  }),
  wipe: spec(3, (world) => {
    const end = world.fault('store emptied', ['store']);
    world.store.wipe();
    return end;
  }),
  failOver: spec(6, (world) => {
    const end = world.fault('failover', ['store']);
    const atMs = world.nowMs;
    world.store.setReachable(false);
    return () => {
      // A lease survives the loss of one renewal: a failover must lose less than a third of the TTL.
      const lostMs = Math.min(
        world.random.one([0, 5, 50, 500, LONGEST_LOSS_MS]),
        world.scenario.ttlMs / 4,
      );
      const lagMs = world.nowMs - atMs + lostMs;
      world.store.failOver(lagMs, world.random.one([0, 0, HOUR_MS, -HOUR_MS]));
      world.store.setReachable(true);
      end();
    };
  }),
  split: spec(3, (world) => {
    if (world.store.isSplit) return nothing;
    // An instance that renews at one primary does not renew at the other: no instance can rely on its place.
    const instances = world.instances.map(({ id }) => id);
    const breaks = ['store', 'registry', ...watchersOf(world), ...instances];
    const end = world.fault('two primaries', breaks);
    const servers = new Set(someServers(world).map(({ name }) => name));
    world.store.split(
      world.random.one([0, 5, 500]),
      world.random.one([0, 0, HOUR_MS, -HOUR_MS]),
      servers,
    );
    return () => {
      world.store.unite();
      end();
    };
  }),
  slowStore: spec(2, (world) => {
    const delayMs = world.random.one([25, 100, 300]);
    const end = world.fault(`store slow by ${delayMs} ms`, ['store', ...watchersOf(world)]);
    for (const { name } of world.servers)
      world.network.setBoth(name, world.store.name, 'open', delayMs);
    return () => {
      for (const { name } of world.servers) world.network.setBoth(name, world.store.name, 'open');
      end();
    };
  }),
  /** Errors such as OOM, READONLY and BUSY. */
  refuse: spec(3, (world) => {
    const end = world.fault('store refuses writes', ['store']);
    world.store.setWritable(false);
    return () => {
      world.store.setWritable(true);
      end();
    };
  }),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
