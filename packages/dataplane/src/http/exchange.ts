import type { Respond, Router } from '../model/router.ts';
import type { Target } from '../model/target.ts';
import {
  type AttemptFailure,
  CONNECT_TIMED_OUT,
  TIMED_OUT,
  closedEarly,
  connectFailed,
  malformedAnswer,
} from './attempt-failure.ts';
import { Attempt } from './attempt.ts';
import { Phase } from './exchange-phase.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ExchangeServices } from './exchange-services.ts';
import { encodeAnswer } from './problem.ts';
import type { RequestHead } from './request-head.ts';
import { RequestLedger } from './request-ledger.ts';
import { type RelayOwner, ResponseRelay } from './response-relay.ts';
import { Tries } from './tries.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';
import type { UpstreamOwner } from './upstream-connection.ts';

/** A request up to this size counts as sent once it is written, however slowly the target reads. */
const AT_ONCE_BYTES = 16_384;

/**
 * One request from its head to the end of its response: routing, attempts on targets, and the rules for sending it
 * again. One object per client connection, reused for each request.
 */
export class Exchange implements UpstreamOwner, RelayOwner, TunnelOwner {
  readonly record: RequestRecord;
  readonly #services: ExchangeServices;
  readonly #client: ClientPort;
  readonly #relay: ResponseRelay;
  readonly #tries: Tries;
  readonly #ledger: RequestLedger;
  readonly #attempt: Attempt;
  readonly #router: Router;
  #phase: number = Phase.idle;
  #isRequestComplete = false;
  #wantsKeepAlive = false;
  /** What the response told the client about keeping the connection. */
  #keepsAlive = false;

  constructor(client: ClientPort, services: ExchangeServices, router: Router) {
    this.#client = client;
    this.#services = services;
    this.#router = router;
    this.#ledger = new RequestLedger(services);
    this.record = this.#ledger.record;
    this.#attempt = new Attempt(services, this.#ledger);
    this.#tries = new Tries(services);
    this.#relay = new ResponseRelay(client, services, this);
  }

  /** `source` holds the head that was just parsed, and body bytes up to `body.end`. */
  serve(source: Buffer, head: RequestHead, body: { end: number; isComplete: boolean }): void {
    this.#wantsKeepAlive = head.isKeptAlive;
    this.#start(body.isComplete);
    this.#ledger.read(source, head);
    this.record.requestBytes = body.end - head.start;
    const { gate } = this.#services;
    const decision = gate.judge(source, head) ?? this.#router.route(this.record);
    if (decision.kind === 'respond') {
      this.#answer(decision);
      return;
    }
    this.#tries.reset(decision.group);
    this.record.group = decision.group.name;
    const { requestWriter, trustForwarded } = this.#services;
    const rewrite = { head, identity: this.#client.identity, trustForwarded };
    const encoded = requestWriter.encode(source, rewrite, body.end);
    this.#tries.replay.reset(encoded, body.end - head.end, requestWriter.fieldsAt);
    this.#relay.start({
      isHead: this.record.isHead,
      minorVersion: head.minorVersion,
      isUpgrade: head.isWebSocketUpgrade,
    });
    if (!this.#tryNext()) this.#answer({ status: 503, ...this.#tries.explainNone() });
  }

  /** An invalid head: answers it, records it and ends the connection. */
  refuse(answer: Omit<Respond, 'kind'>): void {
    this.#wantsKeepAlive = false;
    this.#start(false);
    this.#answer(answer);
  }

  onRequestBody(buffer: Buffer, start: number, end: number, isLast: boolean): void {
    this.record.requestBytes += end - start;
    const { upstream } = this.#attempt;
    if (upstream === undefined) return;
    if (this.record.isIdempotent || !upstream.isOpen) {
      this.#tries.replay.add(buffer.subarray(start, end), this.#services.limits.replayBytes);
    }
    this.#isRequestComplete = isLast;
    if (!upstream.isOpen) return;
    // The target already responds but still reads the request: as long as more of it arrives, its time starts again.
    if (this.#phase === Phase.responding) this.#attempt.postpone(true);
    if (end > start && !this.#attempt.write(buffer, start, end)) this.#client.pauseReading();
    if (isLast) this.#awaitAnswer();
  }

  /** The end of the request body (trailers and final CR LF), written by the proxy, not copied from the client. */
  onRequestTail(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.onRequestBody(bytes, 0, bytes.length, true);
  }

  /** The body is malformed, or stopped arriving. */
  onRequestBroken(answer: Omit<Respond, 'kind'>): void {
    this.#wantsKeepAlive = false;
    this.#attempt.giveUp('cancelled', answer.code);
    if (this.#phase === Phase.responding) this.#abort(answer.code);
    else if (this.#phase !== Phase.flushing) this.#answer(answer);
  }

  onClientDrain(): void {
    const wasFlushing = this.#phase === Phase.flushing;
    this.#relay.onClientDrain(this.#attempt.upstream);
    if (wasFlushing) this.#end('');
  }

  onClientGone(): void {
    if (this.#phase === Phase.idle) return;
    if (this.#phase === Phase.tunnel) {
      this.#attempt.giveUp('answered', '');
      this.#end('', false);
      return;
    }
    this.#attempt.giveUp('cancelled', 'client_closed');
    if (this.#phase !== Phase.flushing) this.record.status = 499;
    this.#end('client_closed', false);
  }

  onUpstreamOpen(): void {
    this.#phase = Phase.waiting;
    this.#attempt.upstream!.readDeadline = 0;
    const isFlowing = this.#tries.replay.sendTo(this.#attempt);
    if (!this.record.isIdempotent) this.#tries.replay.drop();
    if (isFlowing) this.#client.resumeReading();
    if (this.#isRequestComplete) this.#awaitAnswer();
  }

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.#attempt.upstream!;
    if (this.#phase === Phase.waiting) this.#relay.readHead(upstream, buffer, start, end);
    else this.#relay.readBody(upstream, buffer, start, end);
  }

  onUpstreamDrain(): void {
    this.#client.resumeReading();
  }

  onUpstreamEnd(): void {
    if (this.#phase === Phase.responding && this.#relay.isUntilClose) this.onAnswerEnd(-1);
    else this.#closed('closed by the target');
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    const cause = error?.code ?? error?.message ?? 'closed by the target';
    if (this.#phase === Phase.connecting) this.#fail(connectFailed(cause));
    else this.#closed(cause);
  }

  onUpstreamTaking(): void {
    this.#attempt.postpone(this.#phase !== Phase.waiting);
  }

  onUpstreamHasAll(): void {}

  onUpstreamStalled(): void {
    this.#fail(TIMED_OUT);
  }

  onUpstreamDeadline(): void {
    this.#fail(this.#phase === Phase.connecting ? CONNECT_TIMED_OUT : TIMED_OUT);
  }

  /** The head of the final response (not 1xx) arrived: from here on the request cannot be tried again. */
  onAnswerHead(status: number, isKeepable: boolean): boolean {
    this.#phase = Phase.responding;
    this.record.status = status;
    this.#tries.replay.drop();
    const { isClosing } = this.#services;
    this.#keepsAlive = isKeepable && this.#wantsKeepAlive && this.#isRequestComplete && !isClosing;
    return this.#keepsAlive;
  }

  /** `keepAliveSeconds`: -1 = not given; undefined = the connection cannot be reused. */
  onAnswerEnd(keepAliveSeconds: number | undefined): void {
    const isReusable = this.#isRequestComplete && !this.#relay.isUntilClose;
    this.#attempt.complete(this.record.status, isReusable ? keepAliveSeconds : undefined);
    this.#flush(true);
  }

  onAnswerBroken(fault: number): void {
    this.#fail(malformedAnswer(fault));
  }

  onSwitched(): void {
    this.#phase = Phase.tunnel;
    this.record.status = 101;
    this.#keepsAlive = false;
    this.#tries.replay.drop();
    const ways = { client: this.#client, relay: this.#relay, attempt: this.#attempt };
    new Tunnel(ways, this.#services, this).start();
  }

  onTunnelClosed(): void {
    this.#end('');
  }

  onTunnelBroken(reason: string): void {
    this.#abort(reason);
  }

  #start(isRequestComplete: boolean): void {
    this.#ledger.begin(this.#client.address);
    this.#isRequestComplete = isRequestComplete;
    this.#phase = Phase.connecting;
  }

  /** False: there is no target left, and nothing was done. */
  #tryNext(): boolean {
    const target = this.#tries.next();
    if (target === undefined) return false;
    this.#try(target, false);
    return true;
  }

  #try(target: Target, isFresh: boolean): void {
    const { trace } = this.#ledger;
    if (trace !== undefined)
      this.#tries.replay.addFields(trace.onTry(target, this.record.attempts));
    this.record.attempts++;
    this.record.finalTarget = target;
    this.#phase = Phase.connecting;
    this.#relay.reset();
    const upstream = this.#attempt.connect(target, this, isFresh);
    if (upstream.isOpen) this.onUpstreamOpen();
    else if (!this.#isRequestComplete) this.#client.pauseReading();
  }

  #awaitAnswer(): void {
    if (this.#phase !== Phase.waiting) return;
    this.#attempt.expectBytesWithin(this.#services.timeouts.responseMs);
    // Passed to the system does not mean sent: the target's time starts when it has the complete request.
    if (this.record.requestBytes > AT_ONCE_BYTES) this.#attempt.upstream!.followSending();
  }

  #closed(cause: string): void {
    const { target, upstream } = this.#attempt;
    if (this.#relay.isComplete) {
      this.onAnswerEnd(undefined);
      return;
    }
    const isStale = upstream!.isReused && this.#phase === Phase.waiting && !this.#relay.hasBytes;
    if (isStale && this.#tries.mayRepeat(this.#isSafe())) {
      // An idle connection that was closed in the meantime says nothing about the target.
      this.#attempt.giveUp('cancelled', 'stale_connection');
      this.#services.counters.retries++;
      this.#try(target!, true);
      return;
    }
    this.#fail(closedEarly(cause));
  }

  #fail(failure: AttemptFailure): void {
    const isLate = this.#phase === Phase.responding;
    this.#attempt.giveUp(failure.outcome, failure.code);
    if (isLate) {
      this.record.detail = failure.cause ?? '';
      this.#abort(failure.code);
      return;
    }
    this.#tries.markFailed(this.record.finalTarget!);
    if (this.#tries.mayGoOn(failure, this.#isSafe()) && this.#tryNext()) {
      this.#services.counters.retries++;
      return;
    }
    this.#answer(failure);
  }

  /** The request is idempotent, and the client has seen nothing of a response. */
  #isSafe(): boolean {
    return this.record.isIdempotent && !this.#relay.hasPassedInterim;
  }

  #answer(answer: Omit<Respond, 'kind'>): void {
    const { isClosing } = this.#services;
    this.#keepsAlive = this.#wantsKeepAlive && this.#isRequestComplete && !isClosing;
    const connection = this.record.connectionOf(this.#keepsAlive);
    const date = this.#services.date.text;
    const bytes = encodeAnswer(answer, { isHead: this.record.isHead, connection, date });
    this.record.status = answer.status;
    this.record.reason = answer.code;
    this.record.detail = answer.cause ?? '';
    this.#tries.replay.drop();
    this.#relay.send(undefined, bytes, 0, bytes.length);
    this.#flush(false);
  }

  /** `isAtOnce`: the clock has just been read. */
  #flush(isAtOnce: boolean): void {
    this.#phase = Phase.flushing;
    if (!this.#relay.isBlocked) this.#end('', true, isAtOnce);
  }

  #abort(reason: string): void {
    this.#end(reason, false);
    this.#client.abort();
  }

  #end(reason: string, isAnswered = true, isAtOnce = false): void {
    this.#phase = Phase.idle;
    this.#ledger.finish(reason, isAtOnce);
    if (isAnswered) this.#client.onAnswered(this.#keepsAlive);
  }
}
