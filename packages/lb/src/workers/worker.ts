import type { Tell } from '@rollcall/daemon';
import type { BoundSocket } from '@rollcall/dataplane';
import type { FrontReport } from '../front/front-report.ts';
import type { FrontConfig } from '../config/schema.ts';
import type { Step } from '../reload/step.ts';
import type { GroupRelay } from './group-relay.ts';
import type { WorkerReport } from './messages.ts';
import { WorkerGone, type WorkerProcess } from './worker-process.ts';

/** What all workers do: one configuration, with the sockets and targets that it needs. */
export interface Assignment {
  readonly version: number;
  /** The first version with the same limits for sources. */
  readonly limitsVersion: number;
  readonly config: FrontConfig;
  /** By key of the listener. */
  readonly sockets: ReadonlyMap<string, BoundSocket>;
  /** By name of the target group. */
  readonly relays: ReadonlyMap<string, GroupRelay>;
}

/** One worker: what it knows, what it does, and what it said last. */
export class Worker {
  readonly number: number;
  readonly process: WorkerProcess;
  /** It takes requests. */
  isServing = false;
  /** It has been asked to end. */
  isLeaving = false;
  /** What it reported last. */
  latest: FrontReport | undefined;
  /** Monotonic, in ms. */
  readonly startedMs: number;
  /** When it last answered; monotonic, in ms. */
  answeredMs: number;
  readonly #sockets = new Set<BoundSocket>();
  readonly #relays = new Set<GroupRelay>();
  /** One assignment at a time is made ready, and used or given up. */
  #turn: Promise<void> = Promise.resolve();

  constructor(number: number, process: WorkerProcess, nowMs: number) {
    this.number = number;
    this.process = process;
    this.startedMs = nowMs;
    this.answeredMs = nowMs;
  }

  knows(relay: GroupRelay): boolean {
    return this.#relays.has(relay);
  }

  /**
   * Makes it ready for an assignment.
   * @throws WorkerGone; StartError when it cannot do it.
   */
  async prepare(assignment: Assignment): Promise<Step> {
    const before = this.#turn;
    const { promise, resolve: end } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      await this.#prepare(assignment);
    } catch (error) {
      end();
      throw error;
    }
    const { version } = assignment;
    return {
      commit: () => {
        this.process.tell({ kind: 'commit', version });
        this.isServing = true;
        this.#forget(assignment);
        end();
      },
      undo: () => {
        this.process.tell({ kind: 'undo', version });
        end();
      },
    };
  }

  async #prepare(assignment: Assignment): Promise<void> {
    const { version, limitsVersion, config, sockets, relays } = assignment;
    const { process } = this;
    await process.started();
    for (const [key, socket] of sockets) {
      if (this.#sockets.has(socket)) continue;
      this.#sockets.add(socket);
      process.tell({ kind: 'socket', key }, socket.handle);
    }
    for (const relay of relays.values()) {
      if (this.#relays.has(relay)) continue;
      this.#relays.add(relay);
      for (const message of relay.all()) process.tell(message);
    }
    const sources = Array.from(relays, ([name, { id }]) => [name, id] as const);
    await process.ask('prepare', {
      version,
      limitsVersion,
      config,
      sources: Object.fromEntries(sources),
    });
  }

  /** Undefined: it has ended, or cannot answer now. */
  async report(nowMs: () => number, log: Tell): Promise<WorkerReport | undefined> {
    const report = await this.process.ask('report', undefined).catch((error: Error) => {
      if (!(error instanceof WorkerGone)) log(`worker ${this.number}: ${error.message}`, 'error');
    });
    if (report === undefined) return undefined;
    this.answeredMs = nowMs();
    this.latest = report.front;
    return report;
  }

  #forget({ sockets, relays }: Assignment): void {
    const used = new Set(sockets.values());
    for (const socket of this.#sockets) if (!used.has(socket)) this.#sockets.delete(socket);
    const followed = new Set(relays.values());
    for (const relay of this.#relays) if (!followed.has(relay)) this.#relays.delete(relay);
  }
}
