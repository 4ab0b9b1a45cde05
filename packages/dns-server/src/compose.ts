import { type Catalog, Rollcall } from '@rollcall/client-sdk';
import {
  clientOptions,
  createAdminServer,
  lineLog,
  listenAdmin,
  logConnection,
  type LoopFaults,
  type SocketAddress,
  stackOf,
  type Tell,
} from '@rollcall/daemon';
import { createMetrics } from './admin/metrics.ts';
import type { Config } from './config/config.ts';
import {
  type Clock,
  descriptorShare,
  type Random,
  systemClock,
  systemDescriptors,
  systemRandom,
} from '@rollcall/runtime';
import { type Counters, createCounters } from './counting/counters.ts';
import { UpstreamForwarder } from './forwarding/upstream-forwarder.ts';
import { openListeners } from './server/listening.ts';
import { QueryLimit } from './server/query-limit.ts';
import { Responder } from './server/responder.ts';
import { SAFE_UDP_BYTES } from './server/udp-listener.ts';
import { ResponseWriter } from './wire/response-writer.ts';
import { Zone } from './zone/zone.ts';

/** External parts of a DNS server; real ones by default. */
export interface DnsServerParts {
  /** Source of the services; the server does not close it. @default the registry's catalog */
  readonly catalog?: Catalog;
  readonly clock?: Clock;
  readonly random?: Pick<Random, 'below'>;
  /** Operational messages. @default a line on stderr */
  readonly log?: Tell;
  /** The metrics show its faults. */
  readonly supervisor?: LoopFaults;
}

/** A running DNS server. */
export interface DnsServer {
  /** The bound addresses, for UDP and TCP; port 0 is replaced. */
  readonly addresses: readonly SocketAddress[];
  /** URL of the admin port, e.g. `http://127.0.0.1:7453`; undefined when off. */
  readonly admin: string | undefined;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts a DNS server. It listens even if no registry is reachable: before its first picture it answers every name with
 * SERVFAIL; when the registry goes away it continues with its last picture.
 * @throws StartError when an address is in use; then nothing is left running.
 */
export async function startDnsServer(
  config: Config,
  parts: DnsServerParts = {},
): Promise<DnsServer> {
  const answering = openAnswering(config, parts);
  const { metrics, catalog, missing, end } = answering;
  const state = { isClosing: false };
  const isClosing = () => state.isClosing;
  const admin = createAdminServer({
    metrics,
    waitingFor: () => (catalog.isReady ? [] : ['registry']),
    missing,
    isClosing,
    allowHosts: config.allowHost,
  });
  const open: { close(): Promise<unknown> }[] = [];
  const closeAll = async (): Promise<void> => {
    for (const one of open) await one.close();
    await admin.close();
    await end();
  };
  try {
    const { maxTcpConnections, tcpIdleMs: idleMs, udpPayload } = config;
    // Stays below the limit of file descriptors, so that old connections can be closed before the system refuses new ones.
    const share = descriptorShare(systemDescriptors(), config.host.length);
    const maxConnections = Math.min(maxTcpConnections, share);
    const { clock = systemClock } = parts;
    const { responder, counters, limit } = answering;
    const answer = { responder, counters, limit, clock };
    const listenerParts = { ...answer, udpPayload, maxConnections, idleMs };
    const listeners = await openListeners(config.host, config.port, listenerParts);
    open.push(listeners);
    const { metrics: adminAddress } = config;
    const adminUrl =
      adminAddress === 'off'
        ? undefined
        : await listenAdmin(admin, adminAddress, '--metrics IP:PORT or off');
    let closed: Promise<void> | undefined;
    return {
      addresses: config.host.map((host) => ({ host, port: listeners.port })),
      admin: adminUrl,
      close() {
        state.isClosing = true;
        return (closed ??= closeAll());
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Creates everything that answers queries, without listening. */
function openAnswering(config: Config, parts: DnsServerParts) {
  const { clock = systemClock, random = systemRandom } = parts;
  const { log = lineLog('rollcall-dns') } = parts;
  const counters = createCounters();
  const { catalog, missing, closeCatalog } = openCatalog(config, parts, log);
  const zone = openZone(config, clock);
  const unsubscribe = follow(catalog, zone);
  const forwarder = openForwarder(config, { counters, clock, random });
  const udpBytes = config.udpPayload ?? SAFE_UDP_BYTES;
  const responder = new Responder({
    zone,
    isReady: () => catalog.isReady,
    writer: new ResponseWriter({ udpBytes, isRecursive: forwarder !== undefined }),
    counters,
    forwarder,
    onFault: (error) => log(`fault while answering: ${stackOf(error)}`, 'error'),
  });
  const limit = new QueryLimit(config.maxQueriesPerSecond);
  const secondTimer = clock.every(1_000, () => limit.nextSecond());
  const end = async (): Promise<void> => {
    secondTimer.cancel();
    unsubscribe();
    forwarder?.close();
    await closeCatalog();
  };
  const metrics = createMetrics({ counters, catalog, zone, supervisor: parts.supervisor });
  return { responder, counters, limit, catalog, missing, metrics, end };
}

function openZone(config: Config, clock: Clock): Zone {
  const { zone, ttl, negativeTtl, namespace, shortNames, pods, forward, host } = config;
  const naming = {
    zone,
    ttl,
    negativeTtl,
    namespace,
    hasShortNames: shortNames,
    pods,
    isAlone: forward.length === 0,
    serverAddresses: host.filter((address) => address !== '0.0.0.0' && address !== '::'),
  };
  return new Zone(Object.freeze(naming), Math.floor(clock.wallMs() / 1_000));
}

/** Applies the catalog's changes to the zone; returns a function that stops this. */
function follow(catalog: Catalog, zone: Zone): () => void {
  for (const snapshot of catalog.services()) zone.put(snapshot);
  return catalog.on('change', ({ namespace, service, snapshot }) => {
    if (snapshot === undefined) zone.remove(namespace, service);
    else zone.put(snapshot);
  });
}

interface OpenedCatalog {
  readonly catalog: Catalog;
  /** What names are answered without at the moment. */
  readonly missing: () => readonly string[];
  readonly closeCatalog: () => Promise<void>;
}

function openCatalog(config: Config, parts: DnsServerParts, log: Tell): OpenedCatalog {
  if (parts.catalog !== undefined) {
    return { catalog: parts.catalog, missing: () => [], closeCatalog: async () => {} };
  }
  const rollcall = new Rollcall(clientOptions(config, log));
  logConnection(rollcall, log, 'names are answered as they were');
  const missing = () => (rollcall.connection === 'unreachable' ? ['registry'] : []);
  const catalog = rollcall.catalog();
  const abort = new AbortController();
  catalog.ready({ signal: abort.signal }).then(
    () => log('answering names'),
    (error: Error) => {
      if (!abort.signal.aborted)
        log(`cannot read the services from the registry: ${error.message}`, 'warn');
    },
  );
  const closeCatalog = async () => {
    abort.abort();
    catalog.close();
    await rollcall.close();
  };
  return { catalog, missing, closeCatalog };
}

function openForwarder(
  { forward, forwardTimeoutMs, maxForwards }: Config,
  parts: { counters: Counters; clock: Clock; random: Pick<Random, 'below'> },
): UpstreamForwarder | undefined {
  if (forward.length === 0) return undefined;
  return new UpstreamForwarder(forward, {
    ...parts,
    timeoutMs: forwardTimeoutMs,
    maxInFlight: maxForwards,
  });
}
