import { type PassedSocket, StartError, type Tell } from '@rollcall/daemon';
import { createPseudonym } from '@rollcall/dataplane';
import { Backoff, type Clock, type Random, within } from '@rollcall/runtime';
import type { FrontReport } from '../front/front-report.ts';
import type { WorkersState } from '../front/front.ts';
import type { TargetChange } from '../groups/target-change.ts';
import type { Step } from '../reload/step.ts';
import type { TicketKeys } from '../tls/ticket-keys.ts';
import type { GroupRelay } from './group-relay.ts';
import { mergeReports, withoutLevels } from './merged-report.ts';
import type { TargetCalls, ToWorker } from './messages.ts';
import { SharedLimits } from './shared-limits.ts';
import { type Assignment, Worker } from './worker.ts';
import { WorkerGone, type WorkerNews, WorkerProcess } from './worker-process.ts';

/** How long a report is waited for, in ms; then the one before it counts. */
const REPORT_MS = 1_000;
/** A worker that has not answered for so long hangs, in ms. */
const SILENCE_MS = 30_000;
/** Beyond its grace, a worker that is to end gets so long, in ms. */
const LAST_WORDS_MS = 5_000;
/** A worker that lived for less is not replaced at once, in ms. */
const SHORT_LIFE_MS = 10_000;
const BACKOFF_MS = { base: 200, most: 5_000 };
/** A worker that needs longer to make itself ready for a change follows later, in ms. */
const SLOW_MS = 5_000;
const TICKS_PER_POLL = 10;

export interface CrewParts {
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
  readonly logLevel: string;
  readonly passed: readonly PassedSocket[];
  readonly ticketKeys: TicketKeys;
  readonly cookieKey: Buffer;
  /** The calls to targets that a worker has made since it was last asked. */
  readonly onCalls: (worker: Worker, calls: readonly TargetCalls[]) => void;
  /** A worker has noticed something about a target. */
  readonly onNoted: (source: number, target: string, change: TargetChange) => void;
}

/** The processes that carry requests: all do the same, and one that dies is replaced. */
export class WorkerCrew {
  readonly #parts: CrewParts;
  readonly #workers = new Set<Worker>();
  readonly #limits = new SharedLimits<Worker>();
  readonly #backoff: Backoff;
  readonly #endKeys: () => void;
  readonly #pseudonym = createPseudonym();
  #assignment: Assignment | undefined;
  #wanted = 0;
  #lost = 0;
  /** What those that have ended had done. */
  #departed: FrontReport | undefined;
  #ticks = 0;
  #isClosing = false;

  constructor(parts: CrewParts) {
    const { random, ticketKeys } = parts;
    this.#parts = parts;
    this.#backoff = new Backoff(random, BACKOFF_MS.base, BACKOFF_MS.most);
    this.#endKeys = ticketKeys.onChange(() => {
      this.#tellAll({ kind: 'ticketKey', key: ticketKeys.current });
    });
  }

  get state(): WorkersState {
    const serving = this.#staying.filter(({ isServing }) => isServing);
    const pids = serving.map(({ process }) => process.pid);
    return { wanted: this.#wanted, serving: serving.length, pids, lost: this.#lost };
  }

  get #staying(): Worker[] {
    return [...this.#workers].filter(({ isLeaving }) => !isLeaving);
  }

  /**
   * Makes every worker ready for an assignment; the first time, starts them.
   * @throws StartError when one of them cannot do it.
   */
  async prepare(next: Assignment, wanted: number): Promise<Step> {
    if (this.#assignment === undefined) while (this.#workers.size < wanted) this.#spawn();
    const isFirst = this.#assignment === undefined;
    const ready = new Map<Worker, Step>();
    const faults: Error[] = [];
    let isOver = false;
    const prepareOne = async (worker: Worker): Promise<void> => {
      try {
        const step = await worker.prepare(next);
        // It caught up with the others meanwhile, or is about to.
        if (isOver) void step.undo();
        else ready.set(worker, step);
      } catch (error) {
        faults.push(error as Error);
      }
    };
    const all = Promise.all(this.#staying.map(prepareOne));
    // One that hangs must not keep the others from a change.
    await (isFirst ? all : within(this.#parts.clock, SLOW_MS, all));
    isOver = true;
    // One that ends meanwhile is replaced, and its successor begins with what is in use then.
    const fault = faults.find((error) => isFirst || !(error instanceof WorkerGone));
    const undo = (): void => {
      for (const step of ready.values()) void step.undo();
    };
    if (fault === undefined) return { commit: () => this.#assign(next, wanted, ready), undo };
    undo();
    if (fault instanceof WorkerGone) throw new StartError('a worker ended while it started');
    throw fault;
  }

  /** Resolves when the ports of removed listeners are free. */
  async settled(): Promise<void> {
    const asked = this.#staying.map(({ process }) => process.ask('settle', undefined));
    await Promise.allSettled(asked);
  }

  /** To all who follow the group. */
  tellOf(relay: GroupRelay, message: ToWorker): void {
    for (const worker of this.#workers) if (worker.knows(relay)) worker.process.tell(message);
  }

  /** What the workers have done, and what those had done that have ended. */
  async report(): Promise<{
    readonly latest: FrontReport[];
    readonly departed: FrontReport | undefined;
  }> {
    await this.#poll();
    const latest = Array.from(this.#workers, (worker) => worker.latest);
    return { latest: latest.filter((report) => report !== undefined), departed: this.#departed };
  }

  /** Must be called several times per second. */
  tick(): void {
    this.#ticks++;
    const version = this.#assignment?.limitsVersion ?? 0;
    for (const [worker, use] of this.#limits.exchange(this.#staying))
      worker.process.tell({ kind: 'use', version, use });
    if (this.#ticks % TICKS_PER_POLL !== 0 || this.#isClosing) return;
    this.#endSilent();
    void this.#poll();
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#endKeys();
    await Promise.all(Array.from(this.#workers, (worker) => this.#dismiss(worker, graceMs)));
  }

  #assign(next: Assignment, wanted: number, ready: ReadonlyMap<Worker, Step>): void {
    if (this.#assignment?.limitsVersion !== next.limitsVersion) this.#limits.reset();
    this.#assignment = next;
    this.#wanted = wanted;
    for (const worker of this.#staying) {
      const step = ready.get(worker);
      if (step !== undefined) step.commit();
      // It began to serve while the others made themselves ready.
      else if (worker.isServing) void this.#catchUp(worker);
    }
    this.#fill();
  }

  /** Starts workers that are missing, and dismisses those beyond the number. */
  #fill(): void {
    if (this.#isClosing || this.#assignment === undefined) return;
    const staying = this.#staying;
    const { graceMs } = this.#assignment.config.shutdown;
    for (const worker of staying.slice(this.#wanted)) void this.#dismiss(worker, graceMs);
    for (let count = staying.length; count < this.#wanted; count++)
      void this.#catchUp(this.#spawn());
  }

  #spawn(): Worker {
    const { clock, logLevel, passed, ticketKeys, cookieKey } = this.#parts;
    const numbers = new Set(this.#staying.map(({ number }) => number));
    let number = 1;
    while (numbers.has(number)) number++;
    const start = { number, logLevel, pseudonym: this.#pseudonym, sockets: passed };
    const process = new WorkerProcess(start, (message) => this.#onNews(worker, message));
    const worker = new Worker(number, process, clock.monotonicMs());
    this.#workers.add(worker);
    process.tell({ kind: 'ticketKey', key: ticketKeys.current });
    process.tell({ kind: 'cookieKey', key: cookieKey });
    void process.ended.then((reason) => this.#onEnded(worker, reason));
    return worker;
  }

  /** Gives a worker what the others do, until it does the same. */
  async #catchUp(worker: Worker): Promise<void> {
    try {
      for (let isBehind = true; isBehind;) {
        const assignment = this.#assignment!;
        const step = await worker.prepare(assignment);
        isBehind = assignment !== this.#assignment;
        if (isBehind) void step.undo();
        else step.commit();
      }
    } catch (error) {
      // If it has ended, what follows is on its way.
      if (error instanceof WorkerGone) return;
      const { message } = error as Error;
      this.#parts.log(`worker ${worker.number} cannot serve: ${message}`, 'error');
      worker.process.kill();
    }
  }

  #onEnded(worker: Worker, reason: string): void {
    const { clock, log } = this.#parts;
    this.#workers.delete(worker);
    this.#limits.forget(worker);
    this.#parts.onCalls(worker, []);
    this.#keep(worker.latest);
    if (worker.isLeaving || this.#assignment === undefined) return;
    this.#lost++;
    const ageMs = clock.monotonicMs() - worker.startedMs;
    if (ageMs > SHORT_LIFE_MS) this.#backoff.reset();
    const delayMs = ageMs > SHORT_LIFE_MS ? 0 : this.#backoff.nextDelayMs();
    const { pid } = worker.process;
    log(`worker ${worker.number} (process ${pid}) has ended: ${reason}; it is replaced`, 'error');
    clock.after(delayMs, () => this.#fill());
  }

  #keep(report: FrontReport | undefined): void {
    if (report === undefined) return;
    const ended = withoutLevels(report);
    this.#departed = this.#departed === undefined ? ended : mergeReports([this.#departed, ended]);
  }

  async #dismiss(worker: Worker, graceMs: number): Promise<void> {
    const { clock, onCalls } = this.#parts;
    worker.isLeaving = true;
    const closing = worker.process.ask('close', { graceMs }).catch(() => undefined);
    const last = await within(clock, graceMs + LAST_WORDS_MS, closing);
    if (last !== undefined) {
      worker.latest = last.front;
      onCalls(worker, last.calls);
    }
    const ended = await within(clock, LAST_WORDS_MS, worker.process.ended);
    if (ended === undefined) worker.process.kill();
    await worker.process.ended;
  }

  async #poll(): Promise<void> {
    const { clock, log, onCalls } = this.#parts;
    const now = () => clock.monotonicMs();
    const ask = async (worker: Worker): Promise<void> => {
      const report = await worker.report(now, log);
      if (report !== undefined) onCalls(worker, report.calls);
    };
    // Also of workers that are leaving: they count until their connections have ended.
    const serving = [...this.#workers].filter(({ isServing }) => isServing);
    await within(clock, REPORT_MS, Promise.all(serving.map(ask)));
  }

  #endSilent(): void {
    const { clock, log } = this.#parts;
    for (const worker of this.#staying) {
      if (!worker.isServing || clock.monotonicMs() - worker.answeredMs < SILENCE_MS) continue;
      log(`worker ${worker.number} has not answered for ${SILENCE_MS / 1_000} s`, 'error');
      worker.process.kill();
    }
  }

  #onNews(worker: Worker, news: WorkerNews): void {
    if (news.kind === 'noted') {
      const { source, target, change } = news;
      this.#parts.onNoted(source, target, { ...change, worker: worker.number });
    } else if (news.version === this.#assignment?.limitsVersion)
      this.#limits.note(worker, news.use);
  }

  #tellAll(message: ToWorker): void {
    for (const { process } of this.#workers) process.tell(message);
  }
}
