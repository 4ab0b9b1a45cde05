import type { FieldEdits, Forward, Respond } from '../model/router.ts';
import { REQUEST_TIMED_OUT } from './attempt-failure.ts';
import { Attempt } from './attempt.ts';
import { Phase } from './exchange-phase.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ExchangeServices, RequestPlace } from './exchange-services.ts';
import { ownAnswer } from './own-answer.ts';
import { RequestLedger } from './request-ledger.ts';
import { type RelayOwner, ResponseRelay } from './response-relay.ts';
import { Tries } from './tries.ts';
import { Tunnel, type TunnelOwner } from './tunnel.ts';

/** One request from the moment when its answer is known: the answer's way to the client, and every end of a request. */
export abstract class Answering implements RelayOwner, TunnelOwner {
  readonly record: RequestRecord;
  protected readonly services: ExchangeServices;
  /** Whose request it is. */
  protected client!: ClientPort;
  /** Where that client arrived. */
  protected place!: RequestPlace;
  protected readonly relay: ResponseRelay;
  protected readonly tries: Tries;
  protected readonly ledger: RequestLedger;
  protected readonly attempt: Attempt;
  protected phase: number = Phase.idle;
  protected isRequestComplete = false;
  protected wantsKeepAlive = false;
  /** Where the request goes; undefined: it is not known, or nowhere. */
  protected forward: Forward | undefined;
  /** Ends the wait for a decision, or for a target. */
  protected cancelWait: (() => void) | undefined;
  /** When the time of the whole request is over, on the plane's clock; 0 = never. */
  #dueAt = 0;
  /** What the response told the client about keeping the connection. */
  #keepsAlive = false;

  constructor(services: ExchangeServices) {
    this.services = services;
    this.ledger = new RequestLedger(services);
    this.record = this.ledger.record;
    this.attempt = new Attempt(services, this.ledger);
    this.tries = new Tries(services);
    this.relay = new ResponseRelay(services, this);
  }

  /** From now on it is for the requests of this client. */
  open(client: ClientPort, place: RequestPlace): void {
    this.client = client;
    this.place = place;
    this.relay.attach(client);
  }

  abstract onAnswerBroken(fault: number): void;

  abstract replacesAnswer(status: number): boolean;

  protected start(isRequestComplete: boolean): void {
    this.ledger.begin(this.client.address, this.client.identity.isSecure);
    const { clock, timeouts } = this.services;
    this.#dueAt = timeouts.requestMs === 0 ? 0 : clock.recentMs + timeouts.requestMs;
    this.isRequestComplete = isRequestComplete;
    this.forward = undefined;
    this.phase = Phase.connecting;
  }

  answerEdits(): FieldEdits | undefined {
    const answerEdits = this.forward?.answerEdits;
    const edits = answerEdits === undefined ? undefined : answerEdits(this.record.finalTarget!);
    return this.#withId(edits);
  }

  switchEdits(): FieldEdits | undefined {
    return this.#withId(undefined);
  }

  #withId(edits: FieldEdits | undefined): FieldEdits | undefined {
    const { requestIds } = this.services;
    if (requestIds === undefined || this.record.requestId === '') return edits;
    return requestIds.answerEdits(this.record.requestId, edits);
  }

  /** The head of the final response (not 1xx) arrived: from here on the request cannot be tried again. */
  onAnswerHead(status: number, isKeepable: boolean): boolean {
    this.phase = Phase.responding;
    this.record.status = status;
    this.tries.replay.drop();
    const { isClosing } = this.place;
    this.#keepsAlive = isKeepable && this.wantsKeepAlive && this.isRequestComplete && !isClosing;
    return this.#keepsAlive;
  }

  /** `keepAliveSeconds`: -1 = not given; undefined = the connection cannot be reused. */
  onAnswerEnd(keepAliveSeconds: number | undefined): void {
    const isReusable = this.isRequestComplete && !this.relay.isUntilClose;
    this.attempt.complete(this.record.status, isReusable ? keepAliveSeconds : undefined);
    this.#flush(true);
  }

  onClientDrain(): void {
    const wasFlushing = this.phase === Phase.flushing;
    this.relay.onClientDrain(this.attempt.upstream);
    if (wasFlushing) this.#end('');
  }

  onClientGone(): void {
    if (this.phase === Phase.idle) return;
    if (this.phase === Phase.tunnel) {
      this.attempt.giveUp('answered', '');
      this.#end('', false);
      return;
    }
    this.attempt.giveUp('cancelled', 'client_closed');
    if (this.phase !== Phase.flushing) this.record.status = 499;
    this.#end('client_closed', false);
  }

  /** The time for the whole request may be over. */
  checkDeadline(now: number): void {
    if (this.#dueAt === 0 || now < this.#dueAt) return;
    if (this.phase === Phase.idle || this.phase === Phase.tunnel) return;
    this.#dueAt = 0;
    const { code } = REQUEST_TIMED_OUT;
    const isLate = this.phase === Phase.responding || this.phase === Phase.flushing;
    // A target that has the whole request has had its time; else it may be the client that was slow.
    const isBlamed = this.phase === Phase.waiting && this.isRequestComplete;
    this.attempt.giveUp(isBlamed ? 'timed_out' : 'cancelled', code);
    if (isLate) this.abort(code);
    else this.answer(REQUEST_TIMED_OUT);
  }

  onSwitched(): void {
    this.phase = Phase.tunnel;
    this.record.status = 101;
    this.#keepsAlive = false;
    this.tries.replay.drop();
    const ways = { client: this.client, relay: this.relay, attempt: this.attempt };
    new Tunnel(ways, this.services, this).start();
  }

  onTunnelClosed(): void {
    this.#end('');
  }

  onTunnelBroken(reason: string): void {
    this.abort(reason);
  }

  protected answer(answer: Omit<Respond, 'kind'>): void {
    const { isClosing } = this.place;
    this.#keepsAlive = this.wantsKeepAlive && this.isRequestComplete && !isClosing;
    const bytes = ownAnswer(this.record, answer, this.#keepsAlive, this.services);
    this.tries.replay.drop();
    this.relay.send(undefined, bytes, 0, bytes.length);
    this.#flush(false);
  }

  /** `isAtOnce`: the clock has just been read. */
  #flush(isAtOnce: boolean): void {
    this.phase = Phase.flushing;
    if (!this.relay.isBlocked) this.#end('', true, isAtOnce);
  }

  protected abort(reason: string): void {
    this.#end(reason, false);
    this.client.abort();
  }

  #end(reason: string, isAnswered = true, isAtOnce = false): void {
    this.phase = Phase.idle;
    if (this.cancelWait !== undefined) {
      this.cancelWait();
      this.cancelWait = undefined;
    }
    this.ledger.finish(reason, isAtOnce);
    if (isAnswered) this.client.onAnswered(this.#keepsAlive);
  }
}
