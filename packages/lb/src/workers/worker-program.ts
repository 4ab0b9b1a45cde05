import { type ProgramContext, type RunningProgram, type Tell, tellOf } from '@rollcall/daemon';
import { openTlsIo, openTransport, type SharedUse, type SocketHandle } from '@rollcall/dataplane';
import { systemClock, systemDescriptors, systemRandom } from '@rollcall/runtime';
import type { FrontConfig } from '../config/schema.ts';
import { HttpFront } from '../front/http-front.ts';
import { TargetGroups } from '../groups/target-groups.ts';
import { type Step, Steps } from '../reload/step.ts';
import { BalancerTls } from '../tls/balancer-tls.ts';
import type { Preparation, TargetCalls, ToWorker, WorkerReport, WorkerStart } from './messages.ts';
import type { ParentChannel } from './parent-channel.ts';
import { RelayedChecks } from './relayed-checks.ts';
import { RelayedSource } from './relayed-source.ts';
import { RelayedTicketKeys } from './relayed-ticket-keys.ts';

const TICK_MS = 100;

/** What is opened with the first configuration. */
interface Opened {
  readonly front: HttpFront;
  readonly groups: TargetGroups;
  readonly tls: BalancerTls;
}

interface Prepared {
  readonly step: Step;
  readonly preparation: Preparation;
}

/** Carries requests as its parent tells it. */
class WorkerProgram {
  readonly #start: WorkerStart;
  readonly #context: Pick<ProgramContext, 'tracing' | 'stop'>;
  readonly #log: Tell;
  readonly #channel: ParentChannel;
  readonly #keys = new RelayedTicketKeys();
  readonly #sockets = new Map<string, SocketHandle>();
  /** By number. */
  readonly #sources = new Map<number, RelayedSource>();
  /** Where the targets of the groups come from that are being opened, by name. */
  #openingSources: Preparation['sources'] = {};
  #cookieKey: Buffer = Buffer.alloc(0);
  #opened: Opened | undefined;
  #prepared: Prepared | undefined;
  #current: Preparation | undefined;
  #toldConnections = 0;

  constructor(
    start: WorkerStart,
    { logger, tracing, stop }: Pick<ProgramContext, 'logger' | 'tracing' | 'stop'>,
    channel: ParentChannel,
  ) {
    this.#start = start;
    this.#context = { tracing, stop };
    this.#log = tellOf(logger.child({ worker: start.number }));
    this.#channel = channel;
    systemClock.every(TICK_MS, () => this.#tick());
    channel.open({
      answers: {
        settle: async () => {
          await this.#opened?.front.settled();
        },
        prepare: (preparation) => this.#prepare(preparation),
        report: async () => this.#report(),
        close: ({ graceMs }) => this.#close(graceMs),
      },
      onTold: (message, socket) => this.#onTold(message, socket),
      onGone: () => stop('the balancer is gone'),
    });
  }

  /** Ends without having been asked: the parent is gone. */
  async end(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    await opened.front.close(this.#current?.config.shutdown.graceMs ?? 0);
    opened.tls.close();
    opened.groups.close();
  }

  #onTold(message: Exclude<ToWorker, { kind: 'ask' }>, socket: SocketHandle | undefined): void {
    switch (message.kind) {
      case 'socket':
        this.#sockets.set(message.key, socket!);
        return;
      case 'picture':
        this.#source(message.source).show(message);
        return;
      case 'health':
        this.#source(message.source).showHealth(message.targets);
        return;
      case 'ticketKey':
        this.#keys.set(Buffer.from(message.key));
        return;
      case 'cookieKey':
        this.#cookieKey = Buffer.from(message.key);
        return;
      case 'use':
        if (message.version === this.#current?.limitsVersion)
          this.#opened?.front.applyUse(message.use);
        return;
      case 'commit':
        this.#commit(message.version);
        return;
      default:
        this.#undo(message.version);
    }
  }

  async #prepare(preparation: Preparation): Promise<void> {
    const { config, sources } = preparation;
    const { front, groups, tls } = (this.#opened ??= await this.#open(config));
    const steps = new Steps();
    try {
      const secured = steps.add(await tls.prepare(config));
      this.#openingSources = sources;
      const prepared = steps.add(groups.prepare(config.targetGroups, secured.targets));
      steps.add(await front.prepare(config, prepared.byName, secured.acceptors));
    } catch (error) {
      await steps.undo();
      throw error;
    }
    this.#prepared = { step: steps, preparation };
  }

  #commit(version: number): void {
    const prepared = this.#takePrepared(version);
    if (prepared === undefined) return;
    const { step, preparation } = prepared;
    step.commit();
    this.#current = preparation;
    const used = new Set(Object.values(preparation.sources));
    for (const number of this.#sources.keys()) if (!used.has(number)) this.#sources.delete(number);
  }

  #undo(version: number): void {
    void this.#takePrepared(version)?.step.undo();
  }

  #takePrepared(version: number): Prepared | undefined {
    const prepared = this.#prepared;
    if (prepared?.preparation.version !== version) return undefined;
    this.#prepared = undefined;
    return prepared;
  }

  async #open(config: FrontConfig): Promise<Opened> {
    const descriptors = systemDescriptors();
    const clock = systemClock;
    // The balancer looks at the same files, and says what is wrong with them.
    const quiet: Tell = (message, level) => {
      if (level === 'debug') this.#log(message, level);
    };
    const openIo = () => openTlsIo(config.io, clock);
    const ticketKeys = this.#keys;
    const tls = new BalancerTls({ clock, log: quiet, ticketKeys, descriptors, openIo });
    const transport = await openTransport({ io: config.io }, clock);
    const front = new HttpFront(config, {
      transport,
      tls,
      clock,
      log: this.#log,
      tracing: this.#context.tracing,
      descriptors,
      sockets: this.#start.sockets,
      pseudonym: this.#start.pseudonym,
      cookieKey: this.#cookieKey,
      random: systemRandom.share,
      hex: systemRandom.hex,
      isShared: true,
      socketOf: (key) => this.#sockets.get(key),
    });
    const groups = new TargetGroups({
      openSource: (_, name) => this.#source(this.#openingSources[name]!),
      openChecks: (_config, onChange, _way, source) =>
        new RelayedChecks(source as RelayedSource, onChange),
      closer: front.server,
      clock,
      random: systemRandom.share,
      note: (group, { id }, change, before) => {
        const source = this.#current?.sources[group];
        // Everything else is what the balancer has told.
        if (source === undefined || (change.event !== 'ejected' && before !== 'ejected')) return;
        this.#channel.tell({ kind: 'noted', source, target: id, change });
      },
      // All else is the same in every worker, and the balancer tells it.
      log: (message, state) => this.#log(message, state === 'ejected' ? 'info' : 'debug'),
    });
    return { front, groups, tls };
  }

  #source(number: number): RelayedSource {
    let source = this.#sources.get(number);
    if (source === undefined) {
      source = new RelayedSource();
      this.#sources.set(number, source);
    }
    return source;
  }

  #report(): WorkerReport {
    const { front, groups } = this.#opened!;
    const sources = this.#current?.sources ?? {};
    const calls = groups.all.flatMap((group) =>
      group.targets().map(({ id, inFlight, traffic }): TargetCalls => {
        return { source: sources[group.name] ?? 0, id, inFlight, window: traffic.take() };
      }),
    );
    const isBusy = ({ inFlight, window }: TargetCalls) => inFlight + window.calls > 0;
    return { front: front.report(), calls: calls.filter(isBusy) };
  }

  async #close(graceMs: number): Promise<WorkerReport> {
    if (this.#opened === undefined) {
      this.#context.stop('the balancer asked for it');
      throw new Error('nothing was begun');
    }
    const { front, groups, tls } = this.#opened;
    await front.close(graceMs);
    tls.close();
    groups.close();
    const report = this.#report();
    // The answer leaves first.
    setImmediate(() => this.#context.stop('the balancer asked for it'));
    return report;
  }

  #tick(): void {
    if (this.#opened === undefined) return;
    const { front, groups } = this.#opened;
    groups.tick();
    front.tick();
    const use = front.takeUse();
    const version = this.#current?.limitsVersion;
    if (version !== undefined && this.#isNews(use))
      this.#channel.tell({ kind: 'used', version, use });
  }

  #isNews({ connections, sources }: SharedUse): boolean {
    const isNews = sources.length > 0 || connections !== this.#toldConnections;
    this.#toldConnections = connections;
    return isNews;
  }
}

/** Starts the program of a worker. */
export async function startWorker(
  start: WorkerStart,
  context: ProgramContext,
  channel: ParentChannel,
): Promise<RunningProgram> {
  const program = new WorkerProgram(start, context, channel);
  return { started: undefined, close: () => program.end(), reload: async () => {} };
}
