import { hostname } from 'node:os';
import { urlHostOf } from '@rollcall/contract';
import { BrowserGuard, type Supervisor, type Tracing, versionOf } from '@rollcall/daemon';
import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { type Clock, type Random, systemClock, systemRandom } from '@rollcall/runtime';
import { Admission } from './access/admission.ts';
import { httpsOf, sealOf, tokensOf } from './access/credentials.ts';
import type { Tokens } from './access/tokens.ts';
import { completeConfig, type Config, isPublicHost } from './config.ts';
import { createCore } from './core.ts';
import { bindAll } from './http/bind-all.ts';
import { LoadGate } from './http/load/load-gate.ts';
import { LoopDelay } from './http/load/loop-delay.ts';
import { buildServer } from './http/server.ts';
import { advertisedAddress, limitConnections, listen } from './listening.ts';
import { GuardedClock } from './runtime/guarded-clock.ts';
import { refusedTokens, storeLog, supervisorOf } from './server-log.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store/store.ts';
import { Checker } from './upkeep/checker.ts';
import { networkCheck } from './upkeep/network-check.ts';
import { SelfRegistration } from './upkeep/self.ts';
import { AddressRules } from './writes/declared/drafts/address-rules.ts';

/** How long requests under way may take when the server stops, in ms. */
const REQUEST_GRACE_MS = 5_000;

/** The environment of a server; the real one by default. */
export interface Runtime {
  readonly clock?: Clock;
  readonly random?: Random;
  /** @default none: nothing is logged */
  readonly logger?: FastifyBaseLogger;
  /** What the server says of its version. @default that of the package */
  readonly version?: string;
  /** Whether it serves the pages of its API at `/docs`. @default true */
  readonly hasDocs?: boolean;
  /** Runs the loops. @default one that logs faults */
  readonly supervisor?: Supervisor;
  /** Makes spans of requests. @default none */
  readonly tracing?: Tracing | undefined;
}

/** What the server does, as its command line says it. */
export interface RegistryOptions extends Partial<Omit<Config, 'store'>> {
  /**
   * A value of `--store`, or an open store, such as one of your own. The server closes it, also when it cannot
   * start. @default memory
   */
  readonly store?: string | Store;
}

/** A server that listens. */
export interface RegistryServer {
  /** e.g. `http://127.0.0.1:7400`. */
  readonly url: string;
  /**
   * Reports not ready, tells the streams to move, answers the requests under way, then closes everything. May be called
   * twice.
   */
  close(): Promise<void>;
}

/** A caller with a valid token is not a foreign web page. Without tokens any caller could be one. */
function browserGuardOf(config: Config, tokens: Tokens): BrowserGuard {
  const { advertise, allowHost, allowOrigin } = config;
  return new BrowserGuard({
    allowHosts: advertise === undefined ? allowHost : [...allowHost, advertise],
    allowOrigins: allowOrigin,
    isTrusted: (authorization) => !tokens.isOpen && tokens.bearerOf(authorization) !== undefined,
  });
}

/** Assembles and starts a registry server. Rejects with a {@link ConfigError} when an option cannot be carried out. */
export async function startRegistryServer(
  options: RegistryOptions = {},
  runtime: Runtime = {},
): Promise<RegistryServer> {
  const { store: own, ...rest } = options;
  const config = completeConfig(typeof own === 'string' ? { ...rest, store: own } : rest);
  const { clock = systemClock, random = systemRandom, logger = silent() } = runtime;
  const store = await openStore(
    { ...config, store: own ?? config.store },
    { clock, random, logger },
  );
  const version = runtime.version ?? versionOf(import.meta.url);
  const { hasDocs = true } = runtime;
  try {
    return await start({ config, store }, { ...runtime, clock, random, logger, version, hasDocs });
  } catch (error) {
    await store.close();
    throw error;
  }
}

const silent = (): FastifyBaseLogger => pino({ level: 'silent' });

async function start({ config, store }: Configured, runtime: Environment): Promise<RegistryServer> {
  const state = { isClosing: false };
  const parts = await assemble({ config, store }, runtime, () => state.isClosing);
  const { app, core, loopDelay, isSecure } = parts;
  const release = async () => {
    await app.close();
    core.close();
    loopDelay.close();
  };
  let port: number;
  try {
    port = await listen(app, config);
  } catch (error) {
    await release();
    throw error;
  }
  const upkeep = startUpkeep(config, parts, port);
  const shutDown = async () => {
    state.isClosing = true;
    await upkeep.leave();
    await partWithStreams(parts, config.shutdownMs);
    // Requests under way are answered; those that take too long are cut off.
    const cut = parts.clock.after(REQUEST_GRACE_MS, () => app.server.closeAllConnections());
    await release();
    cut.cancel();
    await upkeep.end(() => store.close());
  };
  let closing: Promise<void> | undefined;
  return {
    url: `${isSecure ? 'https' : 'http'}://${urlHostOf(config.host)}:${port}`,
    close: () => (closing ??= shutDown()),
  };
}

interface Configured {
  readonly config: Config;
  readonly store: Store;
}

type Optional = 'supervisor' | 'tracing';
type Environment = Required<Omit<Runtime, Optional>> & Pick<Runtime, Optional>;

type Parts = Awaited<ReturnType<typeof assemble>>;

/** All parts, before the server listens. */
async function assemble(
  { config, store }: Configured,
  runtime: Environment,
  isClosing: () => boolean,
) {
  const { random, logger, version, hasDocs, supervisor = supervisorOf(runtime) } = runtime;
  const clock = new GuardedClock(runtime.clock, supervisor);
  const tokens = tokensOf(config);
  const https = httpsOf(config);
  const { host, allowAddress: allowed, maxBodyBytes, maxWritesPerSecond } = config;
  const admission = new Admission(config, { isPublic: isPublicHost(host), allowed });
  const rules = new AddressRules(config);
  const told = storeLog(logger);
  const seal = sealOf(config, random);
  const coreParts = { store, clock, random, supervisor, admission, rules, config, told, seal };
  const core = createCore(coreParts);
  const loopDelay = new LoopDelay(clock);
  const gate = new LoadGate(config, loopDelay);
  const app = await buildServer({
    logger,
    maxBodyBytes,
    https,
    version,
    hasDocs,
    callerKey: (authorization) => tokens.bearerOf(authorization)?.token,
    maxWritesPerSecond,
    browserGuard: browserGuardOf(config, tokens),
    gate,
    clock,
    random,
    tracing: runtime.tracing,
  });
  limitConnections(app, clock);
  const refused = refusedTokens(clock, logger);
  const shared = { core, store, rules, clock, supervisor };
  const serverId = random.hex(8);
  bindAll(app, config, { ...shared, serverId, tokens, seal, gate, refused, isClosing });
  return { ...shared, app, random, loopDelay, isSecure: https !== undefined };
}

/** The loops of a listening server: it follows the log, registers itself, and checks its share of the instances. */
function startUpkeep(config: Config, parts: Parts, port: number) {
  const { core, store, clock, random, supervisor, rules } = parts;
  const { picture, registry, follower } = core;
  const { declarer } = core.declaring;
  const stop = new AbortController();
  const following = follower.run(stop.signal);
  const address = advertisedAddress(config);
  const id = `${hostname()}:${port}`.replaceAll(/[^A-Za-z0-9._:-]/g, '-');
  const clusterIp = rules.ownAddress;
  const nonce = random.hex(16);
  const own = { registry, declarer, clusterIp, supervisor, id, nonce, address, port };
  const self = new SelfRegistration(own);
  core.seenDrains.enter(id);
  void supervisor.run('self', () => self.beat());
  const runCheck = networkCheck(clock);
  const checker = new Checker({ store, picture, clock, supervisor, self: id, runCheck });
  return {
    /** Deregisters this server, and starts no more checks. */
    async leave() {
      checker.close();
      core.hub.move();
      core.holds.move();
      await self.close();
    },
    async end(closeStore: () => Promise<void>) {
      stop.abort();
      await closeStore();
      await following;
    },
  };
}

/** Waits for at most `ms` until the streams have moved, as they were told, and ends those that are left. */
async function partWithStreams({ core: { hub, holds }, clock }: Parts, ms: number): Promise<void> {
  const endMs = clock.monotonicMs() + ms;
  while (hub.size + holds.size > 0 && clock.monotonicMs() < endMs) {
    await new Promise<void>((resolve) => void clock.after(20, resolve));
  }
  hub.close();
  holds.close();
}
