import type { PassedSocket, Tell } from '@rollcall/daemon';
import { Backoff, type Clock, type Random, sleep } from '@rollcall/runtime';
import { BalancerProcess, type Command, describeEnd, type ProcessEnd } from './balancer-process.ts';
import type { OperationsState } from '../operations/operations.ts';
import type { ToSupervisor } from './messages.ts';
import { SocketStore } from './socket-store.ts';

/** A balancer that lived for less is not started again at once, in ms. */
const SHORT_LIFE_MS = 10_000;
const BACKOFF_MS = { base: 200, most: 5_000 };

export interface SupervisorParts {
  readonly command: Command;
  readonly passed: readonly PassedSocket[];
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
}

/** The first balancer could not start. It has said why itself. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
  readonly end: ProcessEnd;

  constructor(end: ProcessEnd) {
    super(`the balancer could not start: ${describeEnd(end)}`);
    this.end = end;
  }
}

/**
 * Owns the listening sockets and runs the balancer that uses them: starts it again when it dies, and replaces it by what
 * is installed now. Meanwhile connections wait in the system, since the sockets stay open. It does nothing else, so there
 * is nothing in it that would have to be replaced.
 */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #sockets = new SocketStore<BalancerProcess>();
  readonly #processes = new Set<BalancerProcess>();
  readonly #backoff: Backoff;
  readonly #over = new AbortController();
  #current: BalancerProcess | undefined;
  #renewing: Promise<void> | undefined;
  /** What operators have asked for. */
  #operations: OperationsState | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random, BACKOFF_MS.base, BACKOFF_MS.most);
  }

  /** Resolves when a balancer serves. @throws NotStarted */
  async start(): Promise<void> {
    const first = await this.#launch(false);
    if (!(first instanceof BalancerProcess)) throw new NotStarted(first);
    this.#take(first);
  }

  /** The balancer applies its configuration file as it is now. */
  reload(): void {
    for (const balancer of this.#processes)
      if (!balancer.isLeaving) balancer.tell({ kind: 'reload' });
  }

  /** Replaces the balancer by what is installed now. If that cannot serve, the one before goes on. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** The balancer finishes what is under way, and ends. */
  async close(): Promise<void> {
    this.#over.abort();
    const ends = Array.from(this.#processes, (balancer) => {
      balancer.isLeaving = true;
      balancer.signal('SIGTERM');
      return balancer.ended;
    });
    await Promise.all(ends);
  }

  async #renew(): Promise<void> {
    const { log } = this.#parts;
    const next = await this.#launch(true);
    if (!(next instanceof BalancerProcess)) {
      log(`not renewed: what is installed now ended with ${describeEnd(next)}`, 'error');
      return;
    }
    log(`renewed: process ${next.pid} serves; the one before finishes what is under way`);
    this.#take(next);
  }

  /** A balancer that serves, or how it ended before. */
  async #launch(isSuccessor: boolean): Promise<BalancerProcess | ProcessEnd> {
    const { command, passed } = this.#parts;
    const serving = Promise.withResolvers<BalancerProcess>();
    const balancer = new BalancerProcess({
      command,
      start: { sockets: passed, isSuccessor, operations: this.#operations },
      onMessage: (from, message) => {
        if (message.kind === 'serving') serving.resolve(from);
        else if (message.kind === 'operations') this.#operations = message.state;
        else void this.#answer(from, message);
      },
    });
    this.#processes.add(balancer);
    void balancer.ended.then(() => this.#forget(balancer));
    return Promise.race([serving.promise, balancer.ended]);
  }

  #forget(balancer: BalancerProcess): void {
    this.#processes.delete(balancer);
    // Those of the one that served stay open until its successor has them: connections are waiting there.
    if (balancer !== this.#current || balancer.isLeaving) this.#sockets.releaseAll(balancer);
  }

  /** From now on this one serves, and the one before goes. */
  #take(balancer: BalancerProcess): void {
    const { clock } = this.#parts;
    const before = this.#current;
    this.#current = balancer;
    if (before !== undefined) {
      before.isLeaving = true;
      if (this.#processes.has(before)) before.tell({ kind: 'retire' });
      else this.#sockets.releaseAll(before);
    }
    void this.#mind(balancer, clock.monotonicMs());
  }

  /** Starts it again if it ends unasked. */
  async #mind(balancer: BalancerProcess, sinceMs: number): Promise<void> {
    const end = await balancer.ended;
    if (balancer.isLeaving || balancer !== this.#current) return;
    if (this.#parts.clock.monotonicMs() - sinceMs > SHORT_LIFE_MS) this.#backoff.reset();
    await this.#restart(balancer, end);
  }

  async #restart(lost: BalancerProcess, end: ProcessEnd): Promise<void> {
    const { log, clock } = this.#parts;
    const what = `the balancer (process ${lost.pid}) has ended: ${describeEnd(end)}`;
    log(`${what}; it is started again`, 'error');
    // Meanwhile it may have been renewed.
    while (!this.#over.signal.aborted && this.#current === lost) {
      const next = await this.#launch(false);
      if (next instanceof BalancerProcess) {
        this.#take(next);
        return;
      }
      log(`the balancer cannot start: ${describeEnd(next)}`, 'error');
      await sleep(clock, this.#backoff.nextDelayMs(), this.#over.signal);
    }
  }

  async #answer(
    from: BalancerProcess,
    message: Extract<ToSupervisor, { kind: 'bind' | 'release' }>,
  ): Promise<void> {
    if (message.kind === 'release') {
      this.#sockets.release(from, message.key);
      return;
    }
    const { id, key, place } = message;
    try {
      const { address, handle } = await this.#sockets.bind(from, key, place);
      from.tell({ kind: 'bound', id, address }, handle);
    } catch (error) {
      const { message: reason, code } = error as NodeJS.ErrnoException;
      from.tell({ kind: 'refused', id, message: reason, code });
    }
  }
}
