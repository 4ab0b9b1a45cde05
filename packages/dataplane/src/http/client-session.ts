import { plainAddress } from '../model/port-service.ts';
import type { Connection, ConnectionHandler } from '../io/transport.ts';
import { BodyFraming } from './body-framing.ts';
import { ClientDeadline } from './client-deadline.ts';
import { BODY_CUT, BODY_TIMEOUT, HEAD_TIMEOUT } from './client-faults.ts';
import { ClientIdentity } from './client-identity.ts';
import type { ClientPlace } from './client-place.ts';
import { ClientReading } from './client-reading.ts';
import { ClientSending } from './client-sending.ts';
import { ClientState } from './client-state.ts';
import type { ClientPort, ClientTunnel, ExchangeServices } from './exchange-services.ts';
import type { Exchange } from './exchange.ts';
import { Fault, type FaultDescription, INCOMPLETE, describeFault } from './fault.ts';
import { HeadAssembler } from './head-assembler.ts';
import { SourceShare } from './source-share.ts';

/** One client connection: splits the byte stream into requests, which are answered in order, one at a time. */
export class ClientSession implements ConnectionHandler, ClientPort {
  readonly identity: ClientIdentity;
  readonly address: string;
  readonly #connection: Connection;
  readonly #services: ExchangeServices;
  readonly place: ClientPlace<ClientSession>;
  readonly #exchange: Exchange;
  readonly #assembler = new HeadAssembler();
  readonly #body: BodyFraming;
  readonly #deadline: ClientDeadline;
  /** Undefined: sources are not limited. */
  readonly #share: SourceShare | undefined;
  #state: number = ClientState.head;
  readonly #reading: ClientReading;
  #isCutting = false;
  /** The client said that it sends nothing after the current request, which has no body. */
  #isLast = false;
  #hasEnded = false;
  readonly #sending: ClientSending;

  constructor(
    connection: Connection,
    services: ExchangeServices,
    place: ClientPlace<ClientSession>,
  ) {
    this.#connection = connection;
    this.#reading = new ClientReading(connection);
    this.#services = services;
    this.place = place;
    this.#body = new BodyFraming(place.bodyRules);
    this.address = plainAddress(connection.remoteAddress);
    this.identity = new ClientIdentity(this.address, connection);
    this.#exchange = place.exchanges.take(this, place);
    this.#deadline = new ClientDeadline(services, place);
    this.#deadline.expectFirstByte();
    this.#share = SourceShare.of(this.address, services);
    this.#sending = new ClientSending(connection, services.queueWatch, this.#share);
  }

  get isOneTooMany(): boolean {
    return this.#share?.isOneTooMany === true;
  }

  get #writer(): ClientTunnel | Exchange {
    return this.#sending.tunnel ?? this.#exchange;
  }

  mayRequest(): boolean {
    return this.#share?.mayRequest() ?? true;
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#services.counters.requestBytes += end - start;
    if (this.#share?.pass(end - start) === true) this.#holdReading();
    switch (this.#state) {
      case ClientState.head:
        this.#cut(buffer, start, end);
        return;
      case ClientState.body:
        this.#continueBody(buffer, start, end);
        return;
      case ClientState.wait:
        this.#keepAhead(buffer, start, end);
        return;
      case ClientState.tunnel:
        this.#sending.tunnel!.onClientData(buffer, start, end);
        return;
      default:
        if (this.#state === ClientState.linger) this.#deadline.keepLingering();
    }
  }

  onDrain(): void {
    if (this.#sending.hasDrained()) this.#writer.onClientDrain();
  }

  onEnd(): void {
    this.#hasEnded = true;
    switch (this.#state) {
      case ClientState.body:
        this.#exchange.onRequestBroken(BODY_CUT);
        return;
      case ClientState.wait:
        this.#deadline.expectAnswerSoon();
        return;
      case ClientState.tunnel:
        this.#sending.tunnel!.onClientEnd();
        return;
      default:
        this.#connection.close();
    }
  }

  onClose(): void {
    this.#state = ClientState.closed;
    this.#sending.clear();
    this.#share?.leave();
    this.#exchange.onClientGone();
    // What a tunnel has left behind may still hold it.
    if (this.#sending.tunnel === undefined) this.place.exchanges.giveBack(this.#exchange);
    this.place.onGone(this);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#state === ClientState.closed) return true;
    if (this.#deadline.isSet) this.#deadline.noteAnswering(this.#hasEnded, this.#state);
    return this.#sending.write(buffer, start, end);
  }

  inquireSending(): void {
    this.#sending.inquire();
  }

  pauseReading(): void {
    this.#reading.isHeldByUpstream = true;
    this.#setReading();
  }

  resumeReading(): void {
    this.#reading.isHeldByUpstream = false;
    this.#setReading();
  }

  onAnswered(keepAlive: boolean): void {
    if (this.#state === ClientState.closed) return;
    this.#reading.isHeldByUpstream = false;
    if (!keepAlive || (this.#hasEnded && !this.#reading.hasAhead)) {
      this.#finish();
      return;
    }
    this.#state = ClientState.head;
    this.#deadline.expectNextRequest();
    const ahead = this.#isCutting ? null : this.#reading.takeAhead();
    if (ahead !== null) this.#cut(ahead, 0, ahead.length);
    this.#setReading();
  }

  onTunnel(tunnel: ClientTunnel): void {
    this.#state = ClientState.tunnel;
    this.#sending.tunnel = tunnel;
    this.#deadline.clear();
    const ahead = this.#reading.takeAhead();
    this.#setReading();
    if (ahead !== null) tunnel.onClientData(ahead, 0, ahead.length);
    if (this.#hasEnded) tunnel.onClientEnd();
  }

  shutdown(): void {
    this.#connection.shutdown();
  }

  abort(): void {
    this.#connection.abort();
  }

  // The server's side

  /** The server, or the listener, is closing: closes an unused connection soon, others after their response. */
  startClosing(): void {
    if (this.#state === ClientState.head && this.#assembler.length === 0)
      this.#deadline.expectNextRequest();
  }

  checkDeadlines(now: number): void {
    this.#sending.checkDeadlines(now);
    this.#exchange.checkDeadline(now);
    if (this.#share?.isInDebt(now) === false) {
      this.#reading.isHeldBySource = false;
      this.#setReading();
      if (this.#sending.isReleased()) this.#writer.onClientDrain();
    }
    if (!this.#deadline.isDue(now)) return;
    if (this.#state === ClientState.head && this.#assembler.length > 0) this.#refuse(HEAD_TIMEOUT);
    else if (this.#state === ClientState.body) this.#exchange.onRequestBroken(BODY_TIMEOUT);
    else this.#connection.close();
  }

  /** Reads requests from the bytes for as long as each is answered immediately. */
  #cut(buffer: Buffer, start: number, end: number): void {
    let position = start;
    this.#isCutting = true;
    while (this.#state === ClientState.head && position < end) {
      position = this.#readHead(buffer, position, end);
    }
    this.#isCutting = false;
    if (position >= end) return;
    if (this.#state === ClientState.wait) this.#keepAhead(buffer, position, end);
    else if (this.#state === ClientState.tunnel)
      this.#sending.tunnel!.onClientData(buffer, position, end);
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const assembler = this.#assembler;
    const { headBytes } = this.#services.limits;
    if (assembler.length > 0) {
      assembler.append(buffer, start, end);
      if (!assembler.isWorthParsing() && assembler.length < headBytes) return end;
      const whole = assembler.takeRest();
      this.#cut(whole, 0, whole.length);
      return end;
    }
    const head = this.#services.requestHead;
    const after = head.parse(buffer, start, Math.min(end, start + headBytes));
    if (after < 0) return this.#refuseHead(after, end);
    if (after === INCOMPLETE) {
      if (end - start >= headBytes) {
        return this.#refuseHead(head.lineEnd === 0 ? Fault.targetTooLong : Fault.headTooLarge, end);
      }
      assembler.append(buffer, start, end);
      this.#deadline.expectHead();
      return end;
    }
    return this.#begin(buffer, after, end);
  }

  #begin(buffer: Buffer, bodyStart: number, end: number): number {
    const head = this.#services.requestHead;
    const body = this.#body;
    if (head.length.isChunked) body.chunked();
    else if (head.length.contentLength > 0) body.length(head.length.contentLength);
    else body.none();
    let bodyEnd = bodyStart;
    let keptEnd = bodyStart;
    if (!body.isDone) {
      bodyEnd = body.consume(buffer, bodyStart, end, null);
      keptEnd = body.keptEnd;
    }
    if (bodyEnd < 0) return this.#refuseHead(bodyEnd, end);
    this.#state = body.isDone ? ClientState.wait : ClientState.body;
    this.#isLast = !head.isKeptAlive && bodyEnd === bodyStart && body.isDone;
    this.#deadline.clear();
    if (!body.isDone) this.#deadline.expectBody();
    const { tail } = body;
    const isComplete = body.isDone && tail === '';
    this.#exchange.serve(buffer, head, { end: keptEnd, isComplete });
    if (tail !== '') this.#exchange.onRequestTail(tail);
    return bodyEnd;
  }

  #continueBody(buffer: Buffer, start: number, end: number): void {
    const stop = this.#body.consume(buffer, start, end, null);
    if (stop < 0) {
      this.#exchange.onRequestBroken(describeFault(stop));
      return;
    }
    if (this.#body.isDone) {
      this.#state = ClientState.wait;
      this.#deadline.clear();
    } else {
      this.#deadline.expectBody();
    }
    const { tail } = this.#body;
    const isLast = this.#body.isDone && tail === '';
    this.#exchange.onRequestBody(buffer, start, this.#body.keptEnd, isLast);
    if (tail !== '') this.#exchange.onRequestTail(tail);
    if (stop >= end) return;
    // The response may have come while the body was still being sent, so the next request may already be here.
    if (this.#state === ClientState.wait) this.#keepAhead(buffer, stop, end);
    else if (this.#state === ClientState.head) this.#cut(buffer, stop, end);
  }

  #keepAhead(buffer: Buffer, start: number, end: number): void {
    this.#reading.keepAhead(buffer, start, end);
    this.#setReading();
  }

  #refuseHead(fault: number, end: number): number {
    this.#refuse(describeFault(fault));
    return end;
  }

  #refuse(answer: FaultDescription): void {
    // What follows must not be read as a request, even if the client has not taken the answer yet.
    this.#state = ClientState.wait;
    this.#deadline.clear();
    this.#exchange.refuse(answer);
  }

  #setReading(): void {
    if (!this.#reading.settle()) return;
    if (this.#reading.isPaused) this.#deadline.clear();
    else if (this.#state === ClientState.body) this.#deadline.expectBody();
  }

  /** Only bodies and tunnels are many bytes: a head is read, and its answer waits. */
  #holdReading(): void {
    if (this.#state !== ClientState.body && this.#state !== ClientState.tunnel) return;
    this.#reading.isHeldBySource = true;
    this.#setReading();
  }

  #finish(): void {
    const hasAhead = this.#reading.takeAhead() !== null;
    this.#state = ClientState.linger;
    this.#assembler.clear();
    // Nothing can be on its way that would turn the end of the connection into a reset.
    if (this.#isLast && !hasAhead) return this.#connection.close();
    this.#deadline.linger();
    if (!this.#hasEnded) this.#setReading();
    this.#connection.shutdown();
  }
}
