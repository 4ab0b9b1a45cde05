import { type Catalog, Rollcall } from '@rollcall/client-sdk';
import {
  clientOptions,
  createAdminServer,
  lineLog,
  listenAdmin,
  logConnection,
  type LoopFaults,
  type PassedSocket,
  StartError,
  type Tell,
  type Tracing,
} from '@rollcall/daemon';
import { HttpServer, openTransport } from '@rollcall/dataplane';
import { AccessLog } from './access-log/access-log.ts';
import { type LogSink, createStdoutSink, openFileSink } from './access-log/log-sink.ts';
import { expiredIn, reportCertificates, reportExpiry } from './admin/certificate-report.ts';
import { createMetrics } from './admin/metrics.ts';
import { reportServices } from './admin/service-report.ts';
import { reportTargets } from './admin/target-report.ts';
import type { ReportPort } from '@rollcall/service-plane';
import { type BalancedServices, serveServices } from './services/serve-services.ts';
import type { Config, TargetGroupConfig } from './config/schema.ts';
import { RollcallSource } from './groups/rollcall-source.ts';
import { RegistryTargetGroup } from './groups/target-group.ts';
import type { TargetSource } from './groups/target-source.ts';
import { HttpProbe } from './health/http-probe.ts';
import { openListeners, remedyOf } from './open-listeners.ts';
import {
  type Clock,
  descriptorShare,
  type Random,
  pause,
  systemClock,
  systemDescriptors,
  systemRandom,
} from '@rollcall/runtime';
import type { BalancerTls } from './tls/balancer-tls.ts';
import { openTls } from './tls/open-tls.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';
import { BalancerTracer } from './tracing/balancer-tracer.ts';
import { TrafficStats } from './traffic/traffic-stats.ts';

const TICK_MS = 100;
/** Planes that share the file descriptors: HTTP, and TCP and UDP of services. */
const PLANES = 3;
/** TCP keep-alive finds vanished peers after this, in ms: services have no idle timeout by default. */
const KEEP_ALIVE_MS = 60_000;
/**
 * How long the start of listening waits for the targets, in ms. A client whose connection is refused may try another
 * balancer, whatever the method; a client that gets a 503 may not.
 */
const FIRST_PICTURES_MS = 1_000;

/** External parts of a balancer; real ones by default. */
export interface LoadBalancerParts {
  readonly clock?: Clock;
  readonly random?: Random['share'];
  /** Operational messages. @default a line on stderr */
  readonly log?: Tell;
  /** The metrics show its faults. */
  readonly supervisor?: LoopFaults;
  /** Creates the source of a group's targets. @default the registry */
  readonly openSource?: (group: TargetGroupConfig) => TargetSource;
  /** Source of the services of type LoadBalancer. @default the registry */
  readonly catalog?: Catalog;
  /** Destination of the reports about these services. @default the registry */
  readonly reports?: ReportPort;
  /** Number of files that the process may open. @default the system's limit */
  readonly descriptors?: number;
  /** Makes spans of requests. @default none: a request costs nothing more */
  readonly tracing?: Tracing | undefined;
  /**
   * The key of TLS sessions, for balancers that share their clients. @default one of this process alone, changed every 12
   * hours
   */
  readonly ticketKeys?: TicketKeys;
  /** Sockets that listen already, for listeners of their names or in order. @default none */
  readonly sockets?: readonly PassedSocket[];
}

/** A running balancer. */
export interface LoadBalancer {
  /** The bound addresses, with port 0 replaced: `http://127.0.0.1:8080`. */
  readonly addresses: {
    readonly listeners: Readonly<Record<string, string>>;
    readonly admin: string;
  };
  readonly groups: readonly RegistryTargetGroup[];
  /**
   * First `/readyz` returns 503, then no more connections are accepted, then requests in progress get their
   * grace period. Safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * Starts a balancer. It listens as soon as it knows its targets, and after one second in any case, even if no registry
 * is reachable: without a picture, requests get a 503 that says so.
 * @throws StartError when an address is in use or the log cannot be opened; then nothing is left running.
 */
export async function startLoadBalancer(
  config: Config,
  parts: LoadBalancerParts = {},
): Promise<LoadBalancer> {
  const { clock = systemClock, log = lineLog('rollcall-lb') } = parts;
  const opened = await open(config, { ...parts, clock, log });
  const { server, groups, services, rollcall, accessLog, tls } = opened;
  const state = { isClosing: false };
  const admin = adminOf(config, opened, { ...parts, isClosing: () => state.isClosing });
  const ticks = clock.every(TICK_MS, () => {
    for (const group of groups) group.tick();
    accessLog?.flush();
  });
  const end = async (graceMs: number): Promise<void> => {
    await Promise.all([server.close(graceMs), services?.close(graceMs)]);
    ticks.cancel();
    tls.close();
    for (const group of groups) group.close();
    await rollcall.close();
    await admin.close();
    await accessLog?.close();
  };
  const close = async (): Promise<void> => {
    state.isClosing = true;
    const { delayMs, graceMs } = config.shutdown;
    if (delayMs > 0) await pause(clock, delayMs);
    await end(graceMs);
  };
  try {
    const adminAddress = await listenAdmin(admin, config.admin, remedyOf('admin'));
    const pictures = Promise.all(groups.map((group) => group.firstPicture()));
    await Promise.race([pictures, pause(clock, FIRST_PICTURES_MS)]);
    const listeners = await openListeners(config, opened, parts.sockets ?? []);
    let closed: Promise<void> | undefined;
    const addresses = { listeners, admin: adminAddress };
    return { addresses, groups, close: () => (closed ??= close()) };
  } catch (error) {
    await end(0);
    throw error;
  }
}

function adminOf(
  config: Config,
  { server, groups, services, rollcall, accessLog, traffic, tls }: Awaited<ReturnType<typeof open>>,
  parts: LoadBalancerParts & { readonly isClosing: () => boolean },
) {
  const { supervisor, isClosing, clock = systemClock } = parts;
  const { counters } = server;
  const sources = { counters, traffic, groups, services, tls, log: accessLog, supervisor };
  return createAdminServer({
    metrics: createMetrics(sources),
    waitingFor: () => [
      ...groups.filter((group) => !group.hasPicture).map(({ name }) => name),
      ...(services?.catalog.isReady === false ? ['loadBalancerServices'] : []),
    ],
    missing: () => [
      ...(rollcall.connection === 'unreachable' ? ['registry'] : []),
      ...expiredIn(tls, clock.wallMs()),
    ],
    isClosing,
    details: () =>
      tls.listeners.size === 0 ? {} : { certificates: reportExpiry(tls, clock.wallMs()) },
    allowHosts: config.admin.allowHosts,
    views: {
      '/targets': () => reportTargets(groups),
      '/certificates': () => reportCertificates(tls, clock.wallMs()),
      '/services': () => reportServices(services?.services.services() ?? []),
    },
  });
}

/** Creates everything except the listeners. */
async function open(
  config: Config,
  parts: LoadBalancerParts & Required<Pick<LoadBalancerParts, 'clock' | 'log'>>,
) {
  const { clock, log, tracing, ticketKeys } = parts;
  const tls = openTls(config, { clock, log, ticketKeys });
  const tracer = tracing === undefined ? undefined : new BalancerTracer(tracing);
  const accessLog = await openAccessLog(config, clock, log);
  const traffic = new TrafficStats(Object.keys(config.targetGroups), accessLog);
  const { timeouts, trustForwarded, underscoresInHeaders, io } = config;
  const limits = limitsWithin(config, parts.descriptors ?? systemDescriptors(), log);
  const transport = await openTransport({ io }, systemClock);
  const server = new HttpServer(
    { observer: traffic, tracer, timeouts, limits, trustForwarded, underscoresInHeaders },
    { transport, clock: systemClock },
  );
  const rollcall = new Rollcall(clientOptions(accessOf(config.registry), log));
  logConnection(rollcall, log, 'the targets stay as they were');
  const groups = openGroups(config, server, { ...parts, rollcall, tls });
  for (const group of groups) {
    const { service, namespace } = group.config;
    rollcall.reportTraffic({ service, namespace, targets: () => group.targets() });
  }
  const services = await openServices(config, { ...parts, rollcall });
  tls.watch();
  return { server, groups, services, rollcall, accessLog, traffic, tls };
}

/** A client's connection needs a second one to its target; services of type LoadBalancer need their share too. */
function limitsWithin(
  { limits, loadBalancerServices }: Config,
  descriptors: number,
  log: Tell,
): Config['limits'] {
  const share = descriptorShare(descriptors, loadBalancerServices === undefined ? 1 : PLANES);
  const clientConnections = Math.min(limits.clientConnections, Math.floor(share / 2));
  if (clientConnections < limits.clientConnections) {
    const most = `the process may open ${descriptors} files`;
    log(`limits.clientConnections: ${clientConnections} instead of more, since ${most}`, 'warn');
  }
  return { ...limits, clientConnections };
}

function accessOf({ url, token, tokenFile, ca, cert, key }: Config['registry']) {
  return {
    registry: url,
    token,
    tokenFile,
    registryCa: ca,
    registryCert: cert,
    registryKey: key,
  };
}

async function openAccessLog(
  { accessLog }: Config,
  clock: Clock,
  log: Tell,
): Promise<AccessLog | undefined> {
  if (accessLog === 'off') return undefined;
  const onError = (error: Error) => log(`accessLog ${accessLog}: ${error.message}`, 'error');
  const sink: LogSink =
    accessLog === 'stdout'
      ? createStdoutSink(process.stdout)
      : await openFileSink(accessLog, onError).catch((error: Error) => {
          throw new StartError(`accessLog ${accessLog}: cannot be opened: ${error.message}`);
        });
  return new AccessLog(sink, clock);
}

interface OpeningParts extends LoadBalancerParts {
  readonly rollcall: Rollcall;
  readonly log: Tell;
}

async function openServices(
  { loadBalancerServices, io }: Config,
  parts: OpeningParts,
): Promise<BalancedServices | undefined> {
  if (loadBalancerServices === undefined) return undefined;
  const { clock = systemClock, random = systemRandom.share, log } = parts;
  const { namespace } = loadBalancerServices;
  const catalog = parts.catalog ?? parts.rollcall.catalog({ namespace });
  const reports = parts.reports ?? parts.rollcall;
  const transport = await openTransport({ io, keepAliveMs: KEEP_ALIVE_MS }, systemClock);
  const descriptors = descriptorShare(parts.descriptors ?? systemDescriptors(), PLANES);
  const inner = { catalog, reports, clock, random, log, transport, descriptors };
  return serveServices(loadBalancerServices, inner);
}

function openGroups(
  { targetGroups }: Config,
  server: HttpServer,
  parts: OpeningParts & { readonly tls: BalancerTls },
): RegistryTargetGroup[] {
  const { clock = systemClock, random = systemRandom.share, log } = parts;
  const openSource =
    parts.openSource ??
    (({ service, namespace, port }: TargetGroupConfig): TargetSource =>
      new RollcallSource(
        parts.rollcall.service(service, { namespace, ...(port === undefined ? {} : { port }) }),
      ));
  return Object.entries(targetGroups).map(([name, group]) => {
    const { healthCheck } = group;
    const connector = parts.tls.targets.get(name);
    const probe =
      healthCheck?.enabled === true ? new HttpProbe(healthCheck, clock, connector) : undefined;
    const source = openSource(group);
    const inner = { source, closer: server, connector, probe, clock, random, log };
    return new RegistryTargetGroup(name, group, inner);
  });
}
