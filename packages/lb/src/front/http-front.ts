import type { PassedSocket, Tell, Tracing } from '@rollcall/daemon';
import { HttpServer, type Transport } from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import { AccessLogSwitch } from '../access-log/access-log-switch.ts';
import type { Config } from '../config/schema.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import { reportTarget } from '../groups/target-report.ts';
import { planListeners } from '../listeners/listener-plan.ts';
import { ListenerSet } from '../listeners/listener-set.ts';
import { type Step, Steps } from '../reload/step.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { BalancerTracer } from '../tracing/balancer-tracer.ts';
import { TrafficStats } from '../traffic/traffic-stats.ts';
import type { FrontReport } from './front-report.ts';
import type { Front } from './front.ts';
import { limitsWithin } from './limits.ts';

export interface HttpFrontParts {
  readonly transport: Transport;
  /** Of the listeners with protocol https. */
  readonly tls: BalancerTls;
  readonly clock: Clock;
  readonly log: Tell;
  readonly tracing: Tracing | undefined;
  /** Number of files that the process may open. */
  readonly descriptors: number;
  /** Sockets that listen already, for listeners of their names or in order. */
  readonly sockets: readonly PassedSocket[];
}

type Groups = ReadonlyMap<string, RegistryTargetGroup>;

/** What takes requests: the listeners, the server behind them, and the access log. */
export class HttpFront implements Front {
  /** Its connections to targets are closed there. */
  readonly server: HttpServer;
  readonly #traffic = new TrafficStats();
  readonly #accessLog: AccessLogSwitch;
  readonly #parts: HttpFrontParts;
  readonly #listeners: ListenerSet;
  #config: Config;
  #groups: Groups = new Map();
  /** The limit that the log tells of already. */
  #warnedOf: number | undefined;

  constructor(config: Config, parts: HttpFrontParts) {
    const { tracing, transport, clock } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#accessLog = new AccessLogSwitch(parts);
    const tracer = tracing === undefined ? undefined : new BalancerTracer(tracing);
    this.server = new HttpServer(
      { observer: this.#traffic, tracer, ...this.#settingsOf(config) },
      { transport, clock },
    );
    this.#listeners = new ListenerSet({
      server: this.server,
      acceptorOf: (name) => parts.tls.listeners.get(name)?.acceptor,
      graceMs: () => this.#config.shutdown.graceMs,
    });
  }

  get addresses(): Readonly<Record<string, string>> {
    return this.#listeners.addresses;
  }

  async prepare(next: Config, groups: Groups): Promise<Step> {
    const plan = planListeners(next, this.#parts.sockets);
    const steps = new Steps();
    try {
      steps.add(await this.#accessLog.prepare(next.accessLog));
      steps.add(await this.#listeners.prepare(plan, groups));
    } catch (error) {
      await steps.undo();
      throw error;
    }
    return {
      commit: () => {
        if (next !== this.#config) this.server.configure(this.#settingsOf(next));
        this.#config = next;
        this.#groups = groups;
        steps.commit();
        this.#traffic.log = this.#accessLog.log;
        this.#traffic.setGroups(groups.keys());
      },
      undo: () => steps.undo(),
    };
  }

  report(): FrontReport {
    const traffic = Array.from(
      this.#traffic.groups,
      ([name, one]) => [name, one.report()] as const,
    );
    const targets = Array.from(
      this.#groups.values(),
      (group) => [group.name, group.targets().map(reportTarget)] as const,
    );
    return {
      counters: this.server.counters,
      traffic: Object.fromEntries(traffic),
      targets: Object.fromEntries(targets),
      droppedLines: this.#accessLog.log?.dropped ?? 0,
    };
  }

  tick(): void {
    this.#accessLog.log?.flush();
  }

  async close(graceMs: number): Promise<void> {
    await this.server.close(graceMs);
    await this.#accessLog.close();
  }

  #settingsOf(config: Config) {
    const { timeouts, trustForwarded, underscoresInHeaders } = config;
    return { timeouts, trustForwarded, underscoresInHeaders, limits: this.#limitsOf(config) };
  }

  #limitsOf(config: Config): Config['limits'] {
    const { descriptors, log } = this.#parts;
    const limits = limitsWithin(config, descriptors);
    const { clientConnections } = limits;
    if (
      clientConnections < config.limits.clientConnections &&
      clientConnections !== this.#warnedOf
    ) {
      this.#warnedOf = clientConnections;
      const most = `the process may open ${descriptors} files`;
      log(`limits.clientConnections: ${clientConnections} instead of more, since ${most}`, 'warn');
    }
    return limits;
  }
}
