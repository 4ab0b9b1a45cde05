import { hostname } from 'node:os';
import { BrowserGuard, ConfigError, type Supervisor } from '@rollcall/daemon';
import type { FastifyBaseLogger } from 'fastify';
import { type Config, isPublicHost } from './config.ts';
import { createCore } from './core.ts';
import { httpsOf, tokensOf } from './access/credentials.ts';
import { RouteBinder } from './http/bind.ts';
import { bindDurable } from './http/durable.ts';
import { bindInstances } from './http/instances.ts';
import { bindLeases } from './http/leases.ts';
import { ByCaller } from './http/load/by-caller.ts';
import { LoadGate } from './http/load/load-gate.ts';
import { LoopDelay } from './http/load/loop-delay.ts';
import { Pace } from './http/load/pace.ts';
import { ReadQueue } from './http/load/read-queue.ts';
import { ServerMetrics } from './http/metrics.ts';
import { bindManifests } from './http/manifests.ts';
import { bindOperations } from './http/operations.ts';
import { bindReads } from './http/reads.ts';
import { buildServer } from './http/server.ts';
import { bindWatch } from './http/watch.ts';
import { advertisedAddress, listen } from './listening.ts';
import { Admission } from './access/admission.ts';
import { Checker } from './upkeep/checker.ts';
import { AddressRules } from './writes/declared/address-rules.ts';
import { ObjectViews } from './views/object-views.ts';
import { Reports } from './writes/declared/reports.ts';
import { Importer } from './writes/durable/importer.ts';
import { networkCheck } from './upkeep/network-check.ts';
import { SelfRegistration } from './upkeep/self.ts';
import { systemClock, systemRandom, type Clock, type Random } from '@rollcall/runtime';
import { GuardedClock } from './runtime/guarded-clock.ts';
import { refusedTokens, storeLog, supervisorOf } from './server-log.ts';
import { DurableFile } from './store/durable/durable-file.ts';
import { FileStore } from './store/durable/file-store.ts';
import { MemoryStore } from './store/memory/memory-store.ts';
import { connectRedis } from './store/redis/connect.ts';
import { keysOf } from './store/redis/keys.ts';
import { RedisStore } from './store/redis/redis-store.ts';
import type { Store } from './store/store.ts';
import type { Tokens } from './access/tokens.ts';

/** How long requests under way are given when the server stops, in ms. */
const REQUEST_GRACE_MS = 5_000;

/** What the outside gives a server; real ones by default. */
export interface Runtime {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger: FastifyBaseLogger;
  readonly version: string;
  /** Runs the loops. @default one that logs faults */
  readonly supervisor?: Supervisor;
}

/** A server that listens. */
export interface RegistryServer {
  /** e.g. `http://127.0.0.1:7400`. */
  readonly url: string;
  /** Readiness off, streams told to move, requests under way answered, then everything closed. Twice without harm. */
  close(): Promise<void>;
}

async function createStore(
  config: Config,
  runtime: Required<Pick<Runtime, 'clock' | 'random' | 'logger'>>,
): Promise<Store> {
  const { clock, random, logger } = runtime;
  const { guardMs, logEntries: logLength } = config;
  const inMemory = () => new MemoryStore({ clock, epoch: random.hex(8), logLength, guardMs });
  if (config.store === 'memory') return inMemory();
  if (config.store.startsWith('file:')) {
    const file = new DurableFile(config.store.slice('file:'.length));
    return FileStore.open(inMemory(), file).catch((error: Error) => {
      throw new ConfigError(`--store ${file.path}: ${error.message}`);
    });
  }
  const connections = connectRedis(config.store, (error) => {
    logger.debug({ err: error }, 'redis connection');
  });
  return new RedisStore({
    ...connections,
    keys: keysOf(config.storePartition, config.storePrefix),
    makeEpoch: () => random.hex(8),
    logLength,
    guardMs,
  });
}

/** Whoever bears a valid token is no stranger's page; without tokens everybody could be one. */
function browserGuardOf(config: Config, tokens: Tokens): BrowserGuard {
  const { advertise, allowHost, allowOrigin } = config;
  return new BrowserGuard({
    allowHosts: advertise === undefined ? allowHost : [...allowHost, advertise],
    allowOrigins: allowOrigin,
    isTrusted: (authorization) => !tokens.isOpen && tokens.bearerOf(authorization) !== undefined,
  });
}

function heartbeatPaces({ maxHeartbeatsPerSecond }: Config, clock: Clock, { refusals }: LoadGate) {
  if (maxHeartbeatsPerSecond === 0) return undefined;
  const onRefused = () => refusals.count('heartbeat_rate');
  return new ByCaller(() => new Pace(clock, maxHeartbeatsPerSecond, onRefused));
}

function snapshotPace({ maxSnapshotsPerSecond }: Config, clock: Clock, { refusals }: LoadGate) {
  if (maxSnapshotsPerSecond === 0) return undefined;
  return new Pace(clock, maxSnapshotsPerSecond, () => refusals.count('snapshot_rate'));
}

/** Wires a registry server and starts it. Rejects with a {@link ConfigError} when an option cannot be carried out. */
export async function startRegistryServer(
  config: Config,
  runtime: Runtime,
): Promise<RegistryServer> {
  const { random = systemRandom, logger, version } = runtime;
  const { supervisor = supervisorOf(runtime) } = runtime;
  const clock = new GuardedClock(runtime.clock ?? systemClock, supervisor);
  const tokens = tokensOf(config);
  const https = httpsOf(config);
  const store = await createStore(config, { clock, random, logger });
  const admission = new Admission(config, {
    isPublic: isPublicHost(config.host),
    allowed: config.allowAddress,
  });
  const rules = new AddressRules(config);
  const told = storeLog(logger);
  const core = createCore({ store, clock, random, supervisor, admission, rules, config, told });
  const { picture, timeline, warmUp, hub, registry, quota, declarer } = core;
  const { holds, follower, sweeper } = core;
  const { maxWritesPerSecond, maxWatches } = config;
  const loopDelay = new LoopDelay(clock);
  const gate = new LoadGate(config, loopDelay);

  let isClosing = false;
  const { maxBodyBytes } = config;
  const app = await buildServer({
    logger,
    maxBodyBytes,
    https,
    version,
    callerKey: (authorization) => tokens.bearerOf(authorization)?.token,
    maxWritesPerSecond,
    browserGuard: browserGuardOf(config, tokens),
    gate,
    clock,
    random,
  });
  const sources = { picture, follower, sweeper, hub, holds, gate, quota, supervisor };
  const metrics = new ServerMetrics(sources);
  metrics.observe(app);
  const reads = new ReadQueue({
    clock,
    maxPerSecond: config.maxReadsPerSecond,
    onRefused: () => gate.refusals.count('read_rate'),
  });
  const binder = new RouteBinder(app, tokens, { reads, refused: refusedTokens(clock, logger) });
  bindInstances(binder, registry, config);
  const paces = heartbeatPaces(config, clock, gate);
  bindLeases(binder, { registry, holds, paces, limits: config });
  bindReads(binder, { picture, warmUp, timeline });
  bindManifests(binder, {
    picture,
    declarer,
    views: new ObjectViews(picture),
    reports: new Reports(store, picture),
    maxPerSecond: maxWritesPerSecond,
  });
  bindDurable(binder, {
    picture,
    importer: new Importer({
      store,
      picture,
      rules,
      clock,
      maxInstancesPerService: config.maxInstancesPerService,
    }),
    maxImportBytes: config.maxImportBytes,
  });
  bindWatch(binder, {
    picture,
    hub,
    warmUp,
    maxWatches,
    maxWatchesPerToken: config.maxWatchesPerToken,
    snapshotPace: snapshotPace(config, clock, gate),
    isClosing: () => isClosing,
  });
  bindOperations(app, { picture, follower, sweeper, metrics, isClosing: () => isClosing });

  let port: number;
  try {
    port = await listen(app, config);
  } catch (error) {
    core.close();
    loopDelay.close();
    await app.close();
    await store.close();
    throw error;
  }

  const stop = new AbortController();
  const following = follower.run(stop.signal);
  const address = advertisedAddress(config);
  const id = `${hostname()}:${port}`.replaceAll(/[^A-Za-z0-9._:-]/g, '-');
  const self = new SelfRegistration({
    registry,
    declarer,
    clusterIp: rules.ownAddress,
    supervisor,
    id,
    nonce: random.hex(16),
    address,
    port,
  });
  void supervisor.run('self', () => self.beat());
  const checker = new Checker({
    store,
    picture,
    clock,
    supervisor,
    self: id,
    runCheck: networkCheck(clock),
  });

  const shutDown = async () => {
    isClosing = true;
    checker.close();
    hub.move();
    holds.move();
    await self.close();
    await drained(clock, config.shutdownMs, () => hub.size + holds.size === 0);
    hub.close();
    holds.close();
    // What is under way is answered; who does not finish is cut off in the end.
    const cut = clock.after(REQUEST_GRACE_MS, () => app.server.closeAllConnections());
    await app.close();
    cut.cancel();
    core.close();
    loopDelay.close();
    stop.abort();
    await store.close();
    await following;
  };
  let closing: Promise<void> | undefined;
  const shown = config.host.includes(':') ? `[${config.host}]` : config.host;
  return {
    url: `${https === undefined ? 'http' : 'https'}://${shown}:${port}`,
    close: () => (closing ??= shutDown()),
  };
}

/** Waits until a claim holds, or for so many ms. */
async function drained(clock: Clock, ms: number, isDone: () => boolean): Promise<void> {
  const endMs = clock.monotonicMs() + ms;
  while (!isDone() && clock.monotonicMs() < endMs) {
    await new Promise<void>((resolve) => void clock.after(20, resolve));
  }
}
