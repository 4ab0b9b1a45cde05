import { hostname } from 'node:os';
import {
  type Catalog,
  type Condition,
  Rollcall,
  RollcallError,
  hostnameOf,
} from '@rollcall/client-sdk';
import {
  clientWarnings,
  createAdminServer,
  lineLog,
  listenAdmin,
  registryAccess,
  type LoopFaults,
  stackOf,
  type Tell,
} from '@rollcall/daemon';
import {
  type Clock,
  descriptorShare,
  pause,
  systemClock,
  systemDescriptors,
  systemRandom,
} from '@rollcall/runtime';
import {
  DgramDatagrams,
  NoticeBoard,
  type NoticePort,
  TCP_OPTIONS,
  TcpServer,
  type Transport,
  UdpServer,
  UserspacePlane,
  createRefusalCounters,
  createTargetCounters,
  openTransport,
} from '@rollcall/dataplane';
import { createMetrics } from './admin/metrics.ts';
import { reportServices } from './admin/service-report.ts';
import type { Config } from './config.ts';
import { USUAL_METRICS_PORT } from './options.ts';
import type { ProxiedService } from './proxy/proxied-service.ts';
import { ServiceProxy } from './proxy/service-proxy.ts';

/** How long a report stands by itself: it outlives a restart of the proxy, and a dead one for no longer. */
const REPORT_MS = 300_000;
const KEEP_ALIVE_MS = 60_000;
/** TCP and UDP. */
const PLANES = 2;
const EJECTION = { failuresInARow: 5, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };
/** What taking back reports may cost when the proxy ends. */
const WITHDRAW_MS = 2_000;

/** Where a proxy says what it serves: of a {@link Rollcall}. */
export type ReportPort = Pick<Rollcall, 'report' | 'withdrawReport'>;

/** What the outside gives a proxy; real ones by default. */
export interface NodeProxyParts {
  /** Where it learns of services. @default the registry's */
  readonly catalog?: Catalog;
  /** @default the registry */
  readonly reports?: ReportPort;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Operational messages. @default a line on stderr */
  readonly log?: Tell;
  /** Whose faults the metrics show. */
  readonly supervisor?: LoopFaults;
}

/** A proxy that follows its catalog. */
export interface NodeProxy {
  /** Where the admin port is, port 0 replaced: `http://127.0.0.1:7490`; undefined: it is off. */
  readonly admin: string | undefined;
  readonly reporter: string;
  /** How TCP is done: `handle` or `net`. */
  readonly io: string;
  services(): Iterable<ProxiedService>;
  /** Accepts no more, takes its reports back, lets connections finish for `shutdownMs`. Twice without harm. */
  close(): Promise<void>;
}

/** `node-proxy.<name>` in the letters that reporters' names are made of. */
export function reporterOf(nodeName: string): string {
  const name = nodeName
    .split('.')
    .map(hostnameOf)
    .filter((part) => part !== '');
  return `node-proxy.${name.join('.')}`.slice(0, 63).replace(/[-.]+$/, '');
}

/**
 * The machine's name; with the port that it is asked at where that is not the usual one, or else its process: two proxies
 * of one machine speak of the same services, and neither may take the other's word back.
 */
export function defaultNodeName(metrics: Config['metrics']): string {
  const port = metrics?.port ?? 0;
  return port === USUAL_METRICS_PORT
    ? hostname()
    : `${hostname()}-${port === 0 ? process.pid : port}`;
}

/**
 * Starts a proxy. It starts whether or not the registry can be reached; until the first picture nothing is bound.
 * @throws StartError when the admin port is taken; nothing is left running then.
 */
export async function startNodeProxy(
  config: Config,
  parts: NodeProxyParts = {},
): Promise<NodeProxy> {
  const keepAliveMs = KEEP_ALIVE_MS;
  const transport =
    parts.transport ?? (await openTransport({ io: config.io, keepAliveMs }, systemClock));
  const served = serve(config, { ...parts, transport });
  const { proxy, catalog, metrics } = served;
  const state = { isClosing: false };
  const admin = createAdminServer({
    metrics,
    waitingFor: () => (catalog.isReady ? [] : ['registry']),
    isClosing: () => state.isClosing,
    allowHosts: config.allowHost,
    views: { '/services': () => reportServices(proxy.services()) },
  });
  let closed: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    state.isClosing = true;
    await served.end(graceMs);
    await admin.close();
  };
  try {
    const address =
      config.metrics &&
      (await listenAdmin(admin, config.metrics, '--metrics IP:PORT (port 0: any free one) or off'));
    return {
      admin: address,
      reporter: served.reporter,
      io: transport.name,
      services: () => proxy.services(),
      close: () => (closed ??= close(config.shutdownMs)),
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

type PlaneParts = NodeProxyParts & { readonly transport: Transport };

/** All but the admin port. */
function serve(config: Config, parts: PlaneParts) {
  const { clock = systemClock, random = systemRandom.share } = parts;
  const { nodePortAddresses, loadBalancerIps, drainMs } = config;
  const log = logOf(parts);
  const rollcall = new Rollcall({
    ...registryAccess(config),
    runtime: { warn: clientWarnings(log) },
  });
  const catalog = parts.catalog ?? rollcall.catalog({ namespace: config.namespace });
  const reporter = reporterOf(config.nodeName ?? defaultNodeName(config.metrics));
  const board = createBoard(config, parts, reportPort(parts.reports ?? rollcall, reporter));
  const { plane, tcp, udp } = createPlane(config, { ...parts, clock }, (key) => proxy.review(key));
  const refusals = createRefusalCounters();
  const { scheduler, affinityClients } = config;
  const pools = { name: '', scheduler, affinityClients, ejection: EJECTION, random };
  const proxiedParts = {
    plane,
    drainMs,
    refusals,
    addresses: { nodePortAddresses, loadBalancerIps },
    pools: { ...pools, createCounters: createTargetCounters, nowMs: () => clock.monotonicMs() },
  };
  const proxy: ServiceProxy = new ServiceProxy(catalog, proxiedParts, { board, log });
  const counters = { tcp: tcp.counters, udp: udp.counters, refusals, reports: board.counters };
  return {
    proxy,
    catalog,
    reporter,
    metrics: createMetrics({ catalog, proxy, supervisor: parts.supervisor, ...counters }),
    async end(graceMs: number): Promise<void> {
      proxy.close();
      const withdrawn = Promise.race([board.close(), pause(clock, WITHDRAW_MS)]);
      await Promise.all([plane.close(graceMs), withdrawn]);
      catalog.close();
      await rollcall.close();
    },
  };
}

function createBoard(config: Config, parts: NodeProxyParts, port: NoticePort<Condition[]>) {
  if (!config.reports) return NO_BOARD;
  const { clock = systemClock, random = systemRandom.share } = parts;
  const onTrouble = (error: Error) =>
    logOf(parts)(
      error instanceof RollcallError
        ? `reports do not get to the registry: ${error.message}`
        : `fault while reporting: ${stackOf(error)}`,
      error instanceof RollcallError ? 'warn' : 'error',
    );
  return new NoticeBoard<Condition[]>(port, { forMs: REPORT_MS, random, clock, onTrouble });
}

function logOf({ log }: NodeProxyParts): Tell {
  return log ?? lineLog('rollcall-node-proxy');
}

const NO_BOARD = {
  counters: { posted: 0, failed: 0 },
  set() {},
  remove() {},
  async close() {},
};

function createPlane(
  config: Config,
  parts: PlaneParts & { readonly clock: Clock },
  onStatus: (key: string) => void,
) {
  const { clock, transport } = parts;
  const { connectMs, idleMs, maxConnections, udpIdleMs, udpFlows } = config;
  // A connection takes two of the files that the process may open, a flow one.
  const share = descriptorShare(systemDescriptors(), PLANES);
  const connections = Math.min(maxConnections, Math.floor(share / 2));
  const flows = Math.min(udpFlows, share);
  const tcp = new TcpServer(
    { ...TCP_OPTIONS, connectMs, idleMs, connections },
    { transport, clock },
  );
  const udp = new UdpServer(
    { idleMs: udpIdleMs, flows },
    { datagrams: new DgramDatagrams(), clock },
  );
  return { plane: new UserspacePlane({ tcp, udp, clock, onStatus }), tcp, udp };
}

function reportPort(port: ReportPort, reporter: string): NoticePort<Condition[]> {
  const placeOf = (key: string) => {
    const [namespace = '', service = ''] = key.split('/');
    return { service, options: { namespace } };
  };
  return {
    post(key, conditions) {
      const { service, options } = placeOf(key);
      return port.report(service, reporter, { conditions, forMs: REPORT_MS }, options);
    },
    async remove(key) {
      const { service, options } = placeOf(key);
      try {
        await port.withdrawReport(service, reporter, options);
      } catch (error) {
        // The service went, and what was said of it with it.
        if (!(error instanceof RollcallError && error.code.endsWith('not_found'))) throw error;
      }
    },
  };
}
