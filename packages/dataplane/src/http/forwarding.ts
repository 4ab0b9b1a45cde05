import type { NoTarget, Target, TargetQueue, Waiter } from '../model/target.ts';
import {
  type AttemptFailure,
  CONNECT_TIMED_OUT,
  TIMED_OUT,
  closedEarly,
  connectFailed,
  malformedAnswer,
} from './attempt-failure.ts';
import { Answering } from './answering.ts';
import { Phase } from './exchange-phase.ts';
import type { UpstreamOwner } from './upstream-connection.ts';

/** A request up to this size counts as sent once it is written, however slowly the target reads. */
const AT_ONCE_BYTES = 16_384;

/** One request on its way to targets: the attempts, and the rules for sending it again. */
export abstract class Forwarding extends Answering implements UpstreamOwner, Waiter {
  onUpstreamOpen(): void {
    this.phase = Phase.waiting;
    this.attempt.upstream!.readDeadline = 0;
    const isFlowing = this.tries.replay.sendTo(this.attempt);
    if (!this.record.isIdempotent) this.tries.replay.drop();
    if (isFlowing) this.client.resumeReading();
    if (this.isRequestComplete) this.awaitAnswer();
  }

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.attempt.upstream!;
    if (this.phase === Phase.waiting) this.relay.readHead(upstream, buffer, start, end);
    else this.relay.readBody(upstream, buffer, start, end);
  }

  onUpstreamDrain(): void {
    this.client.resumeReading();
  }

  onUpstreamEnd(): void {
    if (this.phase === Phase.responding && this.relay.isUntilClose) this.onAnswerEnd(-1);
    else this.#closed('closed by the target');
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    const cause = error?.code ?? error?.message ?? 'closed by the target';
    if (this.phase === Phase.connecting) this.#fail(connectFailed(cause));
    else this.#closed(cause);
  }

  onUpstreamTaking(): void {
    this.attempt.postpone(this.phase !== Phase.waiting);
  }

  onUpstreamHasAll(): void {}

  onUpstreamStalled(): void {
    this.#fail(TIMED_OUT);
  }

  onUpstreamDeadline(): void {
    this.#fail(this.phase === Phase.connecting ? CONNECT_TIMED_OUT : TIMED_OUT);
  }

  /** Tries another target instead of passing on an answer with this status, if the group's rule says so. */
  replacesAnswer(status: number): boolean {
    const rule = this.forward!.group.retry;
    if (rule === undefined || !rule.isFor(status)) return false;
    this.tries.markFailed(this.record.finalTarget!);
    if (!this.tries.mayReplace(rule, this.#isSafe())) return false;
    const target = this.tries.next();
    if (target === undefined) return false;
    const keepAliveSeconds = this.relay.skipAnswer();
    this.attempt.complete(status, this.isRequestComplete ? keepAliveSeconds : undefined);
    this.services.counters.retries++;
    this.#try(target, false);
    return true;
  }

  onAnswerBroken(fault: number): void {
    this.#fail(malformedAnswer(fault));
  }

  onTurn(): boolean {
    // Its answer is on its way already, for example because its time is over.
    if (this.phase !== Phase.queued) return true;
    const target = this.tries.next();
    if (target === undefined) return false;
    this.cancelWait = undefined;
    this.#try(target, false);
    return true;
  }

  onWaitEnd(why: NoTarget): void {
    this.cancelWait = undefined;
    if (this.phase === Phase.queued) this.answer({ status: 503, ...why });
  }

  protected begin(): void {
    const { queue } = this.forward!.group;
    // Those that wait come first.
    if ((queue === undefined || queue.isEmpty) && this.#tryNext()) return;
    const refusal = queue === undefined ? this.tries.explainNone() : queue.join(this);
    if (refusal === undefined) this.#wait(queue!);
    else this.answer({ status: 503, ...refusal });
  }

  #wait(queue: TargetQueue): void {
    this.phase = Phase.queued;
    if (!this.isRequestComplete) this.client.pauseReading();
    this.cancelWait = () => queue.leave(this);
  }

  /** False: there is no target left, and nothing was done. */
  #tryNext(): boolean {
    const target = this.tries.next();
    if (target === undefined) return false;
    this.#try(target, false);
    return true;
  }

  #try(target: Target, isFresh: boolean): void {
    const { trace } = this.ledger;
    if (trace !== undefined) this.tries.replay.addFields(trace.onTry(target, this.record.attempts));
    this.record.attempts++;
    this.record.finalTarget = target;
    this.phase = Phase.connecting;
    this.relay.reset();
    const upstream = this.attempt.connect(target, this, isFresh);
    if (upstream.isOpen) this.onUpstreamOpen();
    else if (!this.isRequestComplete) this.client.pauseReading();
  }

  protected awaitAnswer(): void {
    if (this.phase !== Phase.waiting) return;
    this.attempt.expectBytesWithin(this.services.timeouts.responseMs);
    // Passed to the system does not mean sent: the target's time starts when it has the complete request.
    if (this.record.requestBytes > AT_ONCE_BYTES) this.attempt.upstream!.followSending();
  }

  #closed(cause: string): void {
    const { target, upstream } = this.attempt;
    if (this.relay.isComplete) {
      this.onAnswerEnd(undefined);
      return;
    }
    const isStale = upstream!.isReused && this.phase === Phase.waiting && !this.relay.hasBytes;
    if (isStale && this.tries.mayRepeat(this.#isSafe())) {
      // An idle connection that was closed in the meantime says nothing about the target.
      this.attempt.giveUp('cancelled', 'stale_connection');
      this.services.counters.retries++;
      this.#try(target!, true);
      return;
    }
    this.#fail(closedEarly(cause));
  }

  #fail(failure: AttemptFailure): void {
    const isLate = this.phase === Phase.responding;
    this.attempt.giveUp(failure.outcome, failure.code);
    if (isLate) {
      this.record.detail = failure.cause ?? '';
      this.abort(failure.code);
      return;
    }
    this.tries.markFailed(this.record.finalTarget!);
    if (this.tries.mayGoOn(failure, this.#isSafe()) && this.#tryNext()) {
      this.services.counters.retries++;
      return;
    }
    this.answer(failure);
  }

  /** The request is idempotent, and the client has seen nothing of a response. */
  #isSafe(): boolean {
    return this.record.isIdempotent && !this.relay.hasPassedInterim;
  }
}
