import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CalledTarget } from '@rollcall/client-sdk';
import { type PassedSocket, StartError, type Tell, type Tracing } from '@rollcall/daemon';
import { type Handshaker, HttpServer, type SharedUse, type Transport } from '@rollcall/dataplane';
import type { Clock, Random } from '@rollcall/runtime';
import { AccessLogSwitch } from '../access-log/access-log-switch.ts';
import { loggedFields } from '../access-log/line-format.ts';
import type { FrontConfig } from '../config/schema.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import { reportTarget } from '../groups/target-report.ts';
import { planListeners } from '../listeners/listener-plan.ts';
import { ListenerSet, type ListenerSetParts } from '../listeners/listener-set.ts';
import { type Step, Steps } from '../reload/step.ts';
import { takeRates, withRates } from '../routing/shared-rates.ts';
import { KeptParts } from '../routing/kept-parts.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { BalancerTracer } from '../tracing/balancer-tracer.ts';
import { TrafficStats } from '../traffic/traffic-stats.ts';
import type { FrontReport, HandshakeReport } from './front-report.ts';
import type { Front } from './front.ts';
import { requestIdRuleOf } from './request-id-rule.ts';
import { limitsWithin } from '../config/limits-within.ts';

export interface HttpFrontParts {
  readonly transport: Transport;
  /** What its listeners with protocol https have done is reported. */
  readonly tls: BalancerTls;
  readonly clock: Clock;
  readonly log: Tell;
  readonly tracing: Tracing | undefined;
  /** Number of files that the process may open. */
  readonly descriptors: number;
  /** Sockets that listen already, for listeners of their names or in order. */
  readonly sockets: readonly PassedSocket[];
  /** The socket of a listener, if another process has bound it. @default it is bound here */
  readonly socketOf?: ListenerSetParts['socketOf'];
  /** Name of this balancer in Via. @default a random one */
  readonly pseudonym?: string;
  /** Signs the cookies of clients, unless the configuration names a file. */
  readonly cookieKey: Buffer;
  readonly random: Random['share'];
  /** Makes ids of requests. */
  readonly hex: Random['hex'];
  /** Other processes write to the same standard output. @default false */
  readonly isShared?: boolean;
}

type Groups = ReadonlyMap<string, LiveTargetGroup>;

/** What takes requests: the listeners, the server behind them, and the access log. */
export class HttpFront implements Front {
  /** Its connections to targets are closed there. */
  readonly server: HttpServer;
  readonly #traffic = new TrafficStats();
  readonly #accessLog: AccessLogSwitch;
  readonly #parts: HttpFrontParts;
  readonly #listeners: ListenerSet;
  readonly #kept = new KeptParts();
  #config: FrontConfig;
  #groups: Groups = new Map();
  /** The limit that the log tells of already. */
  #warnedOf: number | undefined;

  constructor(config: FrontConfig, parts: HttpFrontParts) {
    const { tracing, transport, clock, pseudonym } = parts;
    this.#parts = parts;
    this.#config = config;
    this.#accessLog = new AccessLogSwitch(parts);
    const tracer = tracing === undefined ? undefined : new BalancerTracer(tracing);
    this.server = new HttpServer(
      {
        observer: this.#traffic,
        tracer,
        ...(pseudonym === undefined ? {} : { pseudonym }),
        ...this.#settingsOf(config),
      },
      { transport, clock },
    );
    this.#listeners = new ListenerSet({
      server: this.server,
      socketOf: parts.socketOf,
      graceMs: () => this.#config.shutdown.graceMs,
    });
  }

  get addresses(): Readonly<Record<string, string>> {
    return this.#listeners.addresses;
  }

  async prepare(
    next: FrontConfig,
    groups: Groups,
    handshakers: ReadonlyMap<string, Handshaker>,
  ): Promise<Step> {
    const plan = planListeners(next, this.#parts.sockets);
    const steps = new Steps();
    try {
      steps.add(await this.#accessLog.prepare(next.accessLog));
      steps.add({ commit: () => this.#kept.commit(), undo: () => this.#kept.undo() });
      const { clock, random } = this.#parts;
      const routing = { kept: this.#kept, cookieKey: this.#cookieKeyOf(next), clock, random };
      steps.add(await this.#listeners.prepare(plan, groups, { ...routing, handshakers }));
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
    const queues = Array.from(this.#groups.values(), ({ name, queue }) =>
      queue === undefined ? [] : [[name, queue.waiting] as const],
    ).flat();
    return {
      counters: { ...this.server.counters },
      queues: Object.fromEntries(queues),
      traffic: Object.fromEntries(traffic),
      targets: Object.fromEntries(targets),
      handshakes: Object.fromEntries(handshakesOf(this.#parts.tls)),
      droppedLines: this.#accessLog.log?.dropped ?? 0,
    };
  }

  calledTargets(group: LiveTargetGroup): Iterable<CalledTarget> {
    return group.targets();
  }

  /** Resolves when the ports of removed listeners are free. */
  settled(): Promise<void> {
    return this.#listeners.settled();
  }

  /** What was used of the limits that several processes share, since the last time. */
  takeUse(): SharedUse {
    return withRates(this.server.takeUse(), this.#kept);
  }

  /** What all other processes have used since the last time. */
  applyUse(use: SharedUse): void {
    this.server.applyUse(takeRates(use, this.#kept, this.#parts.clock.monotonicMs()));
  }

  tick(): void {
    this.#accessLog.log?.flush();
  }

  async close(graceMs: number): Promise<void> {
    await this.server.close(graceMs);
    await this.#accessLog.close();
  }

  /** @throws StartError when its file cannot be read: it was there when the configuration was checked. */
  #cookieKeyOf({ cookieKeyFile }: FrontConfig): Buffer {
    if (cookieKeyFile === undefined) return this.#parts.cookieKey;
    try {
      return createHash('sha256').update(readFileSync(cookieKeyFile)).digest();
    } catch (error) {
      throw new StartError(`cookieKeyFile: ${(error as Error).message}`, { cause: error });
    }
  }

  #settingsOf(config: FrontConfig) {
    const { timeouts, trustForwarded, underscoresInHeaders } = config;
    const sharedConnections = config.limits.clientConnections;
    const keptFields = loggedFields(config.accessLog);
    const requestId = requestIdRuleOf(config, this.#parts.hex);
    const rules = {
      trustForwarded,
      underscoresInHeaders,
      sharedConnections,
      keptFields,
      requestId,
    };
    return { timeouts, ...rules, limits: this.#limitsOf(config) };
  }

  #limitsOf(config: FrontConfig): FrontConfig['limits'] {
    const { descriptors, log, isShared = false } = this.#parts;
    const limits = limitsWithin(config, descriptors);
    const { clientConnections } = limits;
    if (
      clientConnections < config.limits.clientConnections &&
      clientConnections !== this.#warnedOf
    ) {
      this.#warnedOf = clientConnections;
      const most = `the process may open ${descriptors} files`;
      const words = `limits.clientConnections: ${clientConnections} instead of more, since ${most}`;
      // Of processes that share the clients each one has as many files again.
      log(words, isShared ? 'debug' : 'warn');
    }
    return limits;
  }
}

function* handshakesOf({ listeners }: BalancerTls): Generator<[string, HandshakeReport]> {
  for (const [name, { acceptor }] of listeners) {
    const { full, resumed, faults } = acceptor.counters;
    yield [name, { full, resumed, faults: { ...faults }, underWay: acceptor.handshakesUnderWay }];
  }
}
