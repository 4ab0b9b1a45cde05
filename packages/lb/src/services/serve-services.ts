import { hostname } from 'node:os';
import { type Catalog, type Rollcall, RollcallError, hostnameOf } from '@rollcall/client-sdk';
import { stackOf, type Tell } from '@rollcall/daemon';
import {
  DgramDatagrams,
  NoticeBoard,
  type NoticePort,
  type RefusalCounters,
  TCP_OPTIONS,
  type TcpCounters,
  TcpServer,
  type Transport,
  UDP_OPTIONS,
  type UdpCounters,
  UdpServer,
  UserspacePlane,
  createRefusalCounters,
  createTargetCounters,
} from '@rollcall/dataplane';
import type { LoadBalancerServicesConfig } from '../config/schema.ts';
import { type Clock, type Random, pause } from '@rollcall/runtime';
import type { ServiceNotice } from './balanced-service.ts';
import { ServiceBalancer } from './service-balancer.ts';

/** How long a report stands by itself; a service keeps its address for as long while the balancer is away. */
const REPORT_MS = 300_000;
const AFFINITY_CLIENTS = 100_000;
/** What last reports may cost when the balancer ends. */
const FAREWELL_MS = 2_000;

/** Where it is reported what became of services: of a `Rollcall`. */
export type ReportPort = Pick<Rollcall, 'report' | 'withdrawReport'>;

export interface ServicesParts {
  readonly transport: Transport;
  readonly catalog: Catalog;
  readonly reports: ReportPort;
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
  /** File descriptors that each of TCP and UDP may take. */
  readonly descriptors: number;
}

/** Services of type LoadBalancer, served. */
export interface BalancedServices {
  readonly catalog: Catalog;
  readonly balancer: ServiceBalancer;
  readonly tcp: TcpCounters;
  readonly udp: UdpCounters;
  readonly refusals: RefusalCounters;
  tick(): void;
  close(graceMs: number): Promise<void>;
}

/** Takes over the services of type LoadBalancer that are meant for this balancer. */
export function serveServices(
  config: LoadBalancerServicesConfig,
  parts: ServicesParts,
): BalancedServices {
  const { catalog, clock, random, transport } = parts;
  const { addresses, scheduler, ejection, drainMs, class: ownClass, connectMs, idleMs } = config;
  const connections = Math.min(TCP_OPTIONS.connections, Math.floor(parts.descriptors / 2));
  const flows = Math.min(UDP_OPTIONS.flows, parts.descriptors);
  const tcp = new TcpServer(
    { ...TCP_OPTIONS, connectMs, idleMs, connections },
    { transport, clock },
  );
  const udp = new UdpServer({ ...UDP_OPTIONS, flows }, { datagrams: new DgramDatagrams(), clock });
  const onStatus = (key: string) => balancer.review(key);
  const plane = new UserspacePlane({ tcp, udp, clock, onStatus });
  const state = { isClosing: false };
  const farewellOf = (key: string) => (state.isClosing ? balancer.get(key)?.farewell() : undefined);
  const board = createBoard(config.reporter ?? defaultReporter(), parts, farewellOf);
  const refusals = createRefusalCounters();
  const nowMs = () => clock.monotonicMs();
  const pools = { name: '', scheduler, ejection, random, nowMs };
  const balancer: ServiceBalancer = new ServiceBalancer(
    catalog,
    {
      plane,
      addresses,
      drainMs,
      refusals,
      ownClass,
      clock,
      pools: {
        ...pools,
        affinityClients: AFFINITY_CLIENTS,
        createCounters: createTargetCounters,
      },
    },
    board,
  );
  return {
    catalog,
    balancer,
    refusals,
    tcp: tcp.counters,
    udp: udp.counters,
    tick: () => balancer.tick(),
    async close(graceMs) {
      state.isClosing = true;
      balancer.close();
      const said = Promise.race([board.close(), pause(clock, FAREWELL_MS)]);
      await Promise.all([plane.close(graceMs), said]);
      catalog.close();
    },
  };
}

function defaultReporter(): string {
  return `lb.${hostnameOf(hostname())}`.slice(0, 63).replace(/[-.]+$/, '');
}

function createBoard(
  reporter: string,
  { reports, clock, random, log }: ServicesParts,
  farewellOf: (key: string) => ServiceNotice | undefined,
): NoticeBoard<ServiceNotice> {
  const post = (key: string, { loadBalancer, conditions }: ServiceNotice): Promise<void> => {
    const [namespace = '', service = ''] = key.split('/');
    const report = { loadBalancer: [...loadBalancer], conditions, forMs: REPORT_MS };
    return reports.report(service, reporter, report, { namespace });
  };
  const port: NoticePort<ServiceNotice> = {
    post,
    async remove(key) {
      const farewell = farewellOf(key);
      if (farewell !== undefined) return post(key, farewell);
      const [namespace = '', service = ''] = key.split('/');
      try {
        await reports.withdrawReport(service, reporter, { namespace });
      } catch (error) {
        // The service went, and what was said of it with it.
        if (!(error instanceof RollcallError && error.code.endsWith('not_found'))) throw error;
      }
    },
  };
  const onTrouble = (error: Error) =>
    log(
      error instanceof RollcallError
        ? `reports do not get to the registry: ${error.message}`
        : `fault while reporting: ${stackOf(error)}`,
      error instanceof RollcallError ? 'warn' : 'error',
    );
  return new NoticeBoard(port, { forMs: REPORT_MS, random, clock, onTrouble });
}
