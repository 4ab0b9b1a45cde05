import type { TargetOutcome } from '../observer.ts';
import type { Respond, Router } from '../router.ts';
import type { Target, TargetGroup } from '../target.ts';
import { Attempt } from './attempt.ts';
import { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ExchangeServices } from './exchange-services.ts';
import { describeFault } from './fault.ts';
import { encodeAnswer } from './problem.ts';
import { Replay } from './replay.ts';
import type { RequestHead } from './request-head.ts';
import { type RelayOwner, ResponseRelay } from './response-relay.ts';
import type { UpstreamOwner } from './upstream-connection.ts';

const Phase = {
  idle: 0,
  connecting: 1,
  /** Request sent or being sent; nothing of the final answer passed on. */
  waiting: 2,
  responding: 3,
  /** All is written; the client has not taken it yet. */
  flushing: 4,
  tunnel: 5,
} as const;

type Failure = Omit<Respond, 'kind'> & { readonly outcome: TargetOutcome };

/**
 * One request from its head to the end of its answer: routing, attempts on targets, and the rules on what may be sent
 * again. One object per client connection, used again for each request.
 */
export class Exchange implements UpstreamOwner, RelayOwner {
  readonly record = new RequestRecord();
  readonly #services: ExchangeServices;
  readonly #client: ClientPort;
  readonly #relay: ResponseRelay;
  readonly #replay = new Replay();
  readonly #tried: Target[] = [];
  readonly #attempt: Attempt;
  readonly #router: Router;
  #phase: number = Phase.idle;
  #group: TargetGroup | undefined;
  #startedAt = 0;
  #isRequestComplete = false;
  #wantsKeepAlive = false;
  /** What the client was told about its connection. */
  #keepsAlive = false;

  constructor(client: ClientPort, services: ExchangeServices, router: Router) {
    this.#client = client;
    this.#services = services;
    this.#router = router;
    this.#attempt = new Attempt(services);
    this.#relay = new ResponseRelay(client, services, this);
  }

  get isActive(): boolean {
    return this.#phase !== Phase.idle;
  }

  // The request

  /** `source` holds the head that was just parsed, and body bytes up to `bodyEnd`. */
  begin(source: Buffer, head: RequestHead, body: { end: number; isComplete: boolean }): void {
    const { options } = head;
    this.#wantsKeepAlive = !options.close && (head.minorVersion === 1 || options.keepAlive);
    this.#start(body.isComplete);
    this.record.fill(source, head);
    this.record.requestBytes = body.end - head.start;
    this.#services.budget.earn();
    const decision = this.#router.route(this.record);
    if (decision.kind === 'respond') {
      this.#answer(decision);
      return;
    }
    this.#group = decision.group;
    this.record.group = decision.group.name;
    const { requestWriter, trustForwarded } = this.#services;
    const rewrite = { head, identity: this.#client.identity, trustForwarded };
    this.#replay.start(requestWriter.write(source, rewrite, body.end), body.end - head.end);
    this.#relay.begin({
      isHead: this.record.method === 'HEAD',
      minorVersion: head.minorVersion,
      isUpgrade: head.isWebSocketUpgrade,
    });
    if (!this.#tryNext()) this.#answerNoTarget();
  }

  /** A head that could not be understood: answered, recorded, and the end of the connection. */
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
      this.#replay.add(buffer.subarray(start, end), this.#services.limits.replayBytes);
    }
    this.#isRequestComplete = isLast;
    if (!upstream.isOpen) return;
    if (!this.#attempt.write(buffer, start, end)) this.#client.pauseReading();
    if (isLast) this.#awaitAnswer();
  }

  /** The body stopped making sense, or stopped coming. */
  onRequestBroken(answer: Omit<Respond, 'kind'>): void {
    this.#wantsKeepAlive = false;
    this.#attempt.giveUp('cancelled', answer.code);
    if (this.#phase === Phase.responding || this.#phase === Phase.tunnel) this.#abort(answer.code);
    else if (this.#phase !== Phase.flushing) this.#answer(answer);
  }

  onClientDrain(): void {
    if (this.#phase === Phase.flushing) this.#end('');
    else this.#relay.onClientDrain(this.#attempt.upstream);
    if (this.#phase === Phase.tunnel) this.#keepTunnel();
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

  onTunnelData(buffer: Buffer, start: number, end: number): void {
    if (this.#phase !== Phase.tunnel) return;
    this.record.requestBytes += end - start;
    this.#keepTunnel();
    if (!this.#attempt.write(buffer, start, end)) this.#client.pauseReading();
  }

  onTunnelEnd(): void {
    this.#attempt.upstream?.shutdown();
  }

  // The attempt

  onUpstreamOpen(): void {
    this.#send();
  }

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.#attempt.upstream!;
    if (this.#phase === Phase.tunnel) {
      this.#keepTunnel();
      this.#relay.pass(upstream, buffer, start, end);
    } else if (this.#phase === Phase.waiting) {
      this.#relay.readHead(upstream, buffer, start, end);
    } else {
      this.#relay.readBody(upstream, buffer, start, end);
    }
  }

  onUpstreamDrain(): void {
    this.#client.resumeReading();
  }

  onUpstreamEnd(): void {
    if (this.#phase === Phase.tunnel) this.#client.shutdown();
    else if (this.#phase === Phase.responding && this.#relay.isUntilClose) this.onAnswerEnd(-1);
    else this.#closed('closed by the target');
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    const cause = error?.code ?? error?.message ?? 'closed by the target';
    if (this.#phase === Phase.tunnel) {
      this.#attempt.giveUp(error === undefined ? 'answered' : 'failed', cause);
      if (error === undefined) this.#end('');
      else this.#abort('upstream_closed');
    } else if (this.#phase === Phase.connecting) {
      const detail = `could not connect to the target: ${cause}`;
      this.#fail({
        outcome: 'connect_failed',
        status: 502,
        code: 'upstream_connect_failed',
        detail,
      });
    } else {
      this.#closed(cause);
    }
  }

  onUpstreamDeadline(): void {
    const isConnecting = this.#phase === Phase.connecting;
    this.#fail({
      outcome: isConnecting ? 'connect_failed' : 'timed_out',
      status: 504,
      code: isConnecting ? 'upstream_connect_timeout' : 'upstream_timeout',
      detail: isConnecting
        ? 'the target did not accept the connection in time'
        : 'the target did not answer in time',
    });
  }

  // The answer

  /** The final head arrived: from here on there is no second attempt. */
  onAnswerHead(status: number, isKeepable: boolean): boolean {
    this.#phase = Phase.responding;
    this.record.status = status;
    this.#replay.drop();
    const { isClosing } = this.#services;
    this.#keepsAlive = isKeepable && this.#wantsKeepAlive && this.#isRequestComplete && !isClosing;
    return this.#keepsAlive;
  }

  onAnswerBytes(byteCount: number): void {
    this.record.responseBytes += byteCount;
  }

  /** `keepAliveSeconds`: -1 not said; undefined: the connection cannot be used again. */
  onAnswerEnd(keepAliveSeconds: number | undefined): void {
    const isReusable = this.#isRequestComplete && !this.#relay.isUntilClose;
    this.#attempt.complete(this.record.status, isReusable ? keepAliveSeconds : undefined);
    this.#flush();
  }

  onAnswerBroken(fault: number): void {
    const { code, detail } = describeFault(fault);
    this.#fail({
      outcome: 'failed',
      status: 502,
      code: 'upstream_bad_response',
      detail: `the answer of the target is malformed (${code}: ${detail})`,
    });
  }

  onUnexpectedUpgrade(): void {
    const detail = 'the target switched protocols without being asked';
    this.#fail({ outcome: 'failed', status: 502, code: 'upstream_bad_response', detail });
  }

  onSwitched(): void {
    this.#phase = Phase.tunnel;
    this.record.status = 101;
    this.#keepsAlive = false;
    this.#replay.drop();
    this.#keepTunnel();
    this.#client.onTunnel();
  }

  // Inner steps

  #start(isRequestComplete: boolean): void {
    this.record.clear(this.#client.address);
    this.#startedAt = this.#services.clock.now();
    this.#isRequestComplete = isRequestComplete;
    this.#tried.length = 0;
    this.#group = undefined;
    this.#phase = Phase.connecting;
    this.#services.counters.requests++;
    this.#services.counters.requestsInFlight++;
  }

  /** False: there is no target (left), and nothing was done. */
  #tryNext(): boolean {
    const target = this.#group!.snapshot().pick(this.#tried);
    if (target === undefined) return false;
    this.#try(target, false);
    return true;
  }

  #try(target: Target, isFresh: boolean): void {
    this.record.attempts++;
    this.record.finalTarget = target;
    this.#phase = Phase.connecting;
    this.#relay.reset();
    const upstream = this.#attempt.start(target, this, isFresh);
    if (upstream.isOpen) this.#send();
    else if (!this.#isRequestComplete) this.#client.pauseReading();
  }

  #send(): void {
    this.#phase = Phase.waiting;
    this.#attempt.upstream!.readDeadline = 0;
    const isFlowing = this.#replay.sendTo(this.#attempt);
    if (!this.record.isIdempotent) this.#replay.drop();
    if (this.#isRequestComplete) this.#awaitAnswer();
    else if (isFlowing) this.#client.resumeReading();
  }

  #awaitAnswer(): void {
    if (this.#phase !== Phase.waiting) return;
    this.#attempt.expectBytesWithin(this.#services.timeouts.responseMs);
  }

  #keepTunnel(): void {
    this.#attempt.expectBytesWithin(this.#services.timeouts.tunnelIdleMs);
  }

  #closed(cause: string): void {
    const { target, upstream } = this.#attempt;
    if (this.#relay.isComplete) {
      this.onAnswerEnd(undefined);
      return;
    }
    const isStale = upstream!.isReused && this.#phase === Phase.waiting && !this.#relay.hasBytes;
    const detail = `the target closed the connection before its answer was complete: ${cause}`;
    const failure = { outcome: 'failed', status: 502, code: 'upstream_closed', detail } as const;
    if (isStale && this.#mayRepeat()) {
      // An unused connection that was closed meanwhile says nothing about the target.
      this.#attempt.giveUp('cancelled', 'stale_connection');
      this.#services.counters.retries++;
      this.#try(target!, true);
      return;
    }
    this.#fail(failure);
  }

  #fail(failure: Failure): void {
    const isLate = this.#phase === Phase.responding || this.#phase === Phase.tunnel;
    this.#attempt.giveUp(failure.outcome, failure.code);
    if (isLate) {
      this.#abort(failure.code);
      return;
    }
    this.#tried.push(this.record.finalTarget!);
    if (this.#isRepeatable(failure) && this.#tryNext()) {
      this.#services.counters.retries++;
      return;
    }
    this.#answer(failure);
  }

  #isRepeatable({ outcome, code }: Failure): boolean {
    if (this.#tried.length >= this.#services.limits.attempts) return false;
    // Not a byte was sent, so any method may go elsewhere.
    if (outcome === 'connect_failed') return true;
    return code === 'upstream_closed' && this.#mayRepeat();
  }

  /** Bytes may have reached a target: only what is idempotent, still at hand and within the budget goes out again. */
  #mayRepeat(): boolean {
    if (!this.record.isIdempotent || !this.#replay.isComplete || this.#relay.hasPassedInterim) {
      return false;
    }
    if (this.#services.budget.spend()) return true;
    this.#services.counters.retriesDenied++;
    return false;
  }

  #answerNoTarget(): void {
    this.#answer({ status: 503, ...this.#group!.snapshot().explainNone() });
  }

  #answer(answer: Omit<Respond, 'kind'>): void {
    const { isClosing } = this.#services;
    this.#keepsAlive = this.#wantsKeepAlive && this.#isRequestComplete && !isClosing;
    const isOldAndKept = this.#keepsAlive && this.record.minorVersion === 0;
    const kept = isOldAndKept ? 'keep-alive' : 'implied';
    const connection = this.#keepsAlive ? kept : 'close';
    const bytes = encodeAnswer(answer, { isHead: this.record.method === 'HEAD', connection });
    this.record.status = answer.status;
    this.record.reason = answer.code;
    this.#replay.drop();
    this.#relay.send(undefined, bytes, 0, bytes.length);
    this.#flush();
  }

  #flush(): void {
    this.#phase = Phase.flushing;
    if (!this.#relay.isBlocked) this.#end('');
  }

  #abort(reason: string): void {
    this.#end(reason, false);
    this.#client.abort();
  }

  #end(reason: string, isAnswered = true): void {
    const { record } = this;
    this.#phase = Phase.idle;
    if (reason !== '') record.reason = reason;
    record.durationMs = this.#services.clock.now() - this.#startedAt;
    this.#services.counters.requestsInFlight--;
    this.#services.observer.onResponse(record);
    if (isAnswered) this.#client.onAnswered(this.#keepsAlive);
  }
}
