import { hostname } from 'node:os';
import { type Catalog, Rollcall } from '@rollcall/client-sdk';
import {
  clientOptions,
  createAdminServer,
  lineLog,
  listenAdmin,
  logConnection,
  type LoopFaults,
  type Tell,
} from '@rollcall/daemon';
import {
  type Clock,
  descriptorShare,
  systemClock,
  systemDescriptors,
  systemRandom,
} from '@rollcall/runtime';
import { createRefusalCounters, openTransport, type Transport } from '@rollcall/dataplane';
import {
  keepReports,
  NO_REPORTS,
  openPlane,
  type ReportPort,
  reporterOf,
  ServedServices,
} from '@rollcall/service-plane';
import { createMetrics } from './admin/metrics.ts';
import { reportServices } from './admin/service-report.ts';
import type { Config } from './config.ts';
import { USUAL_METRICS_PORT } from './options.ts';
import { FaultLog } from './proxy/fault-log.ts';
import { ProxiedService } from './proxy/proxied-service.ts';
import { isProxied } from './proxy/service-address.ts';

const KEEP_ALIVE_MS = 60_000;
/** TCP and UDP. */
const PLANES = 2;
const EJECTION = { failuresInARow: 5, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 };

/** The environment of a proxy; the real one by default. */
export interface NodeProxyParts {
  /** Source of the services. @default the registry's */
  readonly catalog?: Catalog;
  /** @default the registry */
  readonly reports?: ReportPort;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Operational messages. @default a line on stderr */
  readonly log?: Tell;
  /** Its faults appear in the metrics. */
  readonly supervisor?: LoopFaults;
}

/** A running proxy. */
export interface NodeProxy {
  /** Address of the admin port, with the actual port: `http://127.0.0.1:7490`; undefined = off. */
  readonly admin: string | undefined;
  readonly reporter: string;
  /** The TCP implementation: `handle` or `net`. */
  readonly io: string;
  services(): Iterable<ProxiedService>;
  /** Accepts nothing more, withdraws its reports, lets connections finish for `shutdownMs`. May be called twice. */
  close(): Promise<void>;
}

/**
 * The machine's name. Adds the metrics port if it is not the usual one, or the process id if there is none: two proxies
 * on one machine report about the same services, and neither may withdraw the other's reports.
 */
export function defaultNodeName(metrics: Config['metrics']): string {
  const port = metrics?.port ?? 0;
  return port === USUAL_METRICS_PORT
    ? hostname()
    : `${hostname()}-${port === 0 ? process.pid : port}`;
}

/**
 * Starts a proxy, even if the registry cannot be reached. Binds nothing until the first picture.
 * @throws StartError when the admin port is taken; then nothing is left running.
 */
export async function startNodeProxy(
  config: Config,
  parts: NodeProxyParts = {},
): Promise<NodeProxy> {
  const keepAliveMs = KEEP_ALIVE_MS;
  const transport =
    parts.transport ?? (await openTransport({ io: config.io, keepAliveMs }, systemClock));
  const served = serve(config, { ...parts, transport });
  const { proxy, catalog, rollcall, metrics } = served;
  const state = { isClosing: false };
  const admin = createAdminServer({
    metrics,
    waitingFor: () => (catalog.isReady ? [] : ['registry']),
    missing: () => (rollcall.connection === 'unreachable' ? ['registry'] : []),
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
  const rollcall = new Rollcall(clientOptions(config, log));
  logConnection(rollcall, log, 'the addresses stay as they were');
  const catalog = parts.catalog ?? rollcall.catalog({ namespace: config.namespace });
  const reporter = reporterOf('node-proxy', config.nodeName ?? defaultNodeName(config.metrics));
  const port = parts.reports ?? rollcall;
  const reports = config.reports ? keepReports({ port, reporter, clock, random, log }) : NO_REPORTS;
  const { connectMs, idleMs, udpIdleMs, maxConnections, udpFlows: maxFlows } = config;
  const descriptors = descriptorShare(systemDescriptors(), PLANES);
  const { plane, tcp, udp } = openPlane(
    { connectMs, idleMs, udpIdleMs, maxConnections, maxFlows, descriptors },
    { transport: parts.transport, clock, onStatus: (key) => proxy.addressesChanged(key) },
  );
  const refusals = createRefusalCounters();
  const { scheduler, affinityClients } = config;
  const pools = { scheduler, affinityClients, ejection: EJECTION, random };
  const servedParts = {
    plane,
    drainMs,
    refusals,
    addresses: { nodePortAddresses, loadBalancerIps },
    pools: { ...pools, nowMs: () => clock.monotonicMs() },
  };
  const faults = new FaultLog(log);
  const proxy: ServedServices<ProxiedService> = new ServedServices(
    catalog,
    {
      serves: isProxied,
      create: (key, declared) => new ProxiedService(key, declared, servedParts),
    },
    {
      onReport(key, report) {
        reports.set(key, report);
        faults.onReport(key, report);
      },
      onGone(key) {
        reports.withdraw(key);
        faults.onGone(key);
      },
    },
  );
  const counters = { tcp, udp, refusals, reports: reports.counters };
  return {
    proxy,
    catalog,
    rollcall,
    reporter,
    metrics: createMetrics({ catalog, proxy, supervisor: parts.supervisor, ...counters }),
    async end(graceMs: number): Promise<void> {
      proxy.close();
      await Promise.all([plane.close(graceMs), reports.close()]);
      catalog.close();
      await rollcall.close();
    },
  };
}

function logOf({ log }: NodeProxyParts): Tell {
  return log ?? lineLog('rollcall-node-proxy');
}
