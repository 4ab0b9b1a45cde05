import type { Catalog } from '@rollcall/client-sdk';
import { lineLog, type PassedSocket, type Tell, type Tracing } from '@rollcall/daemon';
import { openTlsIo, openTransport } from '@rollcall/dataplane';
import {
  type Clock,
  descriptorShare,
  type Random,
  systemClock,
  systemDescriptors,
  systemRandom,
} from '@rollcall/runtime';
import type { ReportPort } from '@rollcall/service-plane';
import { Balancer, type FaultReports } from './balancer.ts';
import { openGroups } from './compose-groups.ts';
import type { ConfigSource } from './config/config-source.ts';
import type { Config, TargetGroupConfig } from './config/schema.ts';
import type { Front } from './front/front.ts';
import { HttpFront } from './front/http-front.ts';
import { PLANES } from './config/limits-within.ts';
import type { ConnectionCloser } from './groups/draining-targets.ts';
import type { Resolver } from './groups/resolver.ts';
import { TargetHistory } from './groups/target-history.ts';
import type { LiveTargetGroup } from './groups/target-group.ts';
import type { TargetSource } from './groups/target-source.ts';
import { IngressFollower } from './ingress/ingress-follower.ts';
import { IngressSecrets } from './ingress/ingress-secrets.ts';
import { IngressReports } from './ingress/ingress-reports.ts';
import { Operations, type OperationsState } from './operations/operations.ts';
import { RegistryLink } from './registry/registry-link.ts';
import type { ReloadResult } from './reload/reloader.ts';
import { type BalancedServices, serveServices } from './services/serve-services.ts';
import { BalancerTls } from './tls/balancer-tls.ts';
import { OwnTicketKeys, type TicketKeys } from './tls/ticket-keys.ts';
import { OWN_SOCKETS, type Sockets } from './workers/sockets.ts';
import { WorkersFront } from './workers/workers-front.ts';

/** TCP keep-alive finds vanished peers after this, in ms: services have no idle timeout by default. */
const KEEP_ALIVE_MS = 60_000;

const COOKIE_KEY_BYTES = 32;
const PROCESS_ID_BYTES = 4;

/** External parts of a balancer; real ones by default. */
export interface LoadBalancerParts {
  readonly clock?: Clock;
  readonly random?: Random['share'];
  /** Operational messages. @default a line on stderr */
  readonly log?: Tell;
  /** The metrics show its faults. */
  readonly supervisor?: FaultReports;
  /** Creates the source of the targets of a service. @default the registry */
  readonly openSource?: (group: TargetGroupConfig) => TargetSource;
  /** Asks for the addresses of names. @default name servers, those of the system if none are given */
  readonly openResolver?: (servers: readonly string[] | undefined) => Resolver;
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
  /** Where the configuration came from, for `reload`. @default it stays as it is */
  readonly source?: ConfigSource;
  /** Binds the sockets of the workers. @default this process does */
  readonly socketSource?: Sockets | undefined;
  /** What workers log, on the standard output. @default warnings */
  readonly logLevel?: string;
  /** Called when it takes requests. */
  readonly onServing?: (() => void) | undefined;
  /** What operators had asked for before this balancer started. @default nothing */
  readonly operations?: OperationsState | undefined;
  /** Called when operators have asked for something else. */
  readonly onOperations?: ((state: OperationsState) => void) | undefined;
  /** Another balancer has the admin port, and is about to give it up. @default false */
  readonly isSuccessor?: boolean;
}

/** A running balancer. */
export interface LoadBalancer {
  /** The bound addresses, with port 0 replaced: `http://127.0.0.1:8080`. */
  readonly addresses: {
    readonly listeners: Readonly<Record<string, string>>;
    readonly admin: string;
  };
  readonly groups: readonly LiveTargetGroup[];
  /**
   * Applies the configuration as it is now, whole or not at all. Undefined: there is nothing to read it from.
   * @param why for the log, e.g. the signal
   */
  reload(why: string): Promise<ReloadResult | undefined>;
  /**
   * First `/readyz` returns 503, then no more connections are accepted, then requests in progress get their
   * grace period. Safe to call twice.
   */
  close(): Promise<void>;
  /** As `close`, but its successor serves already: it takes nothing more, and gives up the admin port first. */
  retire(): Promise<void>;
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
  const opening: OpeningParts = {
    ...parts,
    clock: parts.clock ?? systemClock,
    random: parts.random ?? systemRandom.share,
    log: parts.log ?? lineLog('rollcall-lb'),
    descriptors: parts.descriptors ?? systemDescriptors(),
  };
  const { clock, log, descriptors, supervisor, source, onServing, isSuccessor = false } = opening;
  const ticketKeys = opening.ticketKeys ?? new OwnTicketKeys(clock, systemRandom.hex);
  const openIo = () => openTlsIo(config.io, systemClock);
  const tls = new BalancerTls({ clock, log, ticketKeys, descriptors, openIo });
  const history = new TargetHistory();
  const { front, closer } = await openFront(config, { ...opening, tls, ticketKeys, history });
  const link = new RegistryLink(config.registry, { clock, log });
  const { operations: state, onOperations: onState } = opening;
  const operations = new Operations({ clock, log, state, onState });
  const groups = openGroups({ front, closer, link, operations, history }, opening);
  const services = await openServices(config, link, opening);
  const onFault = (error: unknown) => supervisor?.report?.('ingress', error);
  const ingresses = new IngressFollower({
    clock,
    log,
    secrets: new IngressSecrets(link.secrets, clock, onFault),
    list: (namespace) => link.routes(namespace),
    listClasses: (namespace) => link.ingressClasses(namespace),
    followService: (service) => link.service(service),
    onFault,
  });
  const ingressReports = new IngressReports({
    port: link.ingressReports,
    clock,
    random: opening.random,
    processId: systemRandom.hex(PROCESS_ID_BYTES),
    log,
  });
  const balancer = new Balancer(config, {
    clock,
    log,
    link,
    groups,
    operations,
    history,
    front,
    tls,
    services,
    ingresses,
    ingressReports,
    supervisor,
    source,
    onServing,
    isSuccessor,
  });
  await balancer.start();
  return balancer;
}

interface OpeningParts extends LoadBalancerParts {
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
  readonly descriptors: number;
}

interface OpenFront {
  readonly front: Front;
  /** Its connections to targets. */
  readonly closer: ConnectionCloser;
}

/** What takes the requests: this process, or workers. */
async function openFront(config: Config, parts: FrontParts): Promise<OpenFront> {
  const {
    log,
    tls,
    tracing,
    descriptors,
    random,
    ticketKeys,
    history,
    sockets: passed = [],
  } = parts;
  const cookieKey = Buffer.from(systemRandom.hex(COOKIE_KEY_BYTES), 'hex');
  if (config.workers === undefined) {
    const transport = await openTransport({ io: config.io }, systemClock);
    const own = {
      transport,
      tls,
      clock: systemClock,
      log,
      tracing,
      descriptors,
      random,
      hex: systemRandom.hex,
      cookieKey,
    };
    const front = new HttpFront(config, { ...own, sockets: passed });
    return { front, closer: front.server };
  }
  const { socketSource: sockets = OWN_SOCKETS, logLevel = 'warn' } = parts;
  const keys = { ticketKeys, cookieKey };
  const shared = { clock: systemClock, random, log, logLevel, passed, ...keys, sockets, history };
  return { front: new WorkersFront(shared), closer: NO_CONNECTIONS };
}

interface FrontParts extends OpeningParts {
  readonly tls: BalancerTls;
  readonly ticketKeys: TicketKeys;
  /** Where workers note what happens to targets. */
  readonly history: TargetHistory;
}

/** Workers close theirs themselves. */
const NO_CONNECTIONS: ConnectionCloser = { renew() {}, retire() {}, sever() {} };

async function openServices(
  { loadBalancerServices, io }: Config,
  link: RegistryLink,
  parts: OpeningParts,
): Promise<BalancedServices | undefined> {
  if (loadBalancerServices === undefined) return undefined;
  const { clock, random, log } = parts;
  const catalog = parts.catalog ?? link.catalog(loadBalancerServices.namespace);
  const reports = parts.reports ?? link.reports;
  const transport = await openTransport({ io, keepAliveMs: KEEP_ALIVE_MS }, systemClock);
  const descriptors = descriptorShare(parts.descriptors, PLANES);
  const inner = { catalog, reports, clock, random, log, transport, descriptors };
  return serveServices(loadBalancerServices, inner);
}
