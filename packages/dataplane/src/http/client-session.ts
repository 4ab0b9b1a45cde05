import { plainAddress } from '../model/port-service.ts';
import { SendWatch, type SendWatchOwner } from '../io/send-watch.ts';
import type { Connection, ConnectionHandler } from '../io/transport.ts';
import { BodyFraming } from './body-framing.ts';
import { ClientDeadline } from './client-deadline.ts';
import { BODY_CUT, BODY_TIMEOUT, HEAD_TIMEOUT } from './client-faults.ts';
import { ClientIdentity } from './client-identity.ts';
import type { ClientPlace } from './client-place.ts';
import { ClientReading } from './client-reading.ts';
import { ClientState } from './client-state.ts';
import type { ClientPort, ClientTunnel, ExchangeServices } from './exchange-services.ts';
import { Exchange } from './exchange.ts';
import { Fault, INCOMPLETE, describeFault } from './fault.ts';
import { HeadAssembler } from './head-assembler.ts';

/** One client connection: splits the byte stream into requests, which are answered in order, one at a time. */
export class ClientSession implements ConnectionHandler, ClientPort, SendWatchOwner {
  readonly identity: ClientIdentity;
  readonly address: string;
  readonly #connection: Connection;
  readonly #services: ExchangeServices;
  readonly #onGone: (session: ClientSession) => void;
  readonly #exchange: Exchange;
  readonly #assembler = new HeadAssembler();
  readonly #body: BodyFraming;
  readonly #deadline: ClientDeadline;
  #state: number = ClientState.head;
  #tunnel: ClientTunnel | undefined;
  readonly #reading: ClientReading;
  #isCutting = false;
  /** The client said that it sends nothing after the current request, which has no body. */
  #isLast = false;
  #hasEnded = false;
  #sendWatch: SendWatch | undefined;

  constructor(
    connection: Connection,
    services: ExchangeServices,
    place: ClientPlace<ClientSession>,
  ) {
    this.#connection = connection;
    this.#reading = new ClientReading(connection);
    this.#services = services;
    this.#onGone = place.onGone;
    this.#body = new BodyFraming({ passesTrailers: place.passesTrailers, isStrict: true });
    this.address = plainAddress(connection.remoteAddress);
    this.identity = new ClientIdentity(this.address, connection);
    this.#exchange = new Exchange(this, services, place.router);
    this.#deadline = new ClientDeadline(services);
    this.#deadline.expectFirstByte();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.#services.counters.requestBytes += end - start;
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
        this.#tunnel!.onClientData(buffer, start, end);
        return;
      default:
        if (this.#state === ClientState.linger) this.#deadline.keepLingering();
    }
  }

  onDrain(): void {
    this.#sendWatch?.clear();
    (this.#tunnel ?? this.#exchange).onClientDrain();
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
        this.#tunnel!.onClientEnd();
        return;
      default:
        this.#connection.close();
    }
  }

  onClose(): void {
    this.#state = ClientState.closed;
    this.#sendWatch?.clear();
    this.#exchange.onClientGone();
    this.#onGone(this);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#state === ClientState.closed) return true;
    if (this.#deadline.isSet) this.#noteAnswering();
    if (this.#connection.write(buffer, start, end)) return true;
    this.#watchSending().block();
    return false;
  }

  inquireSending(): void {
    this.#watchSending().inquire();
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
    this.#tunnel = tunnel;
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

  /** The server is closing: closes an unused connection soon, others after their response. */
  startClosing(): void {
    if (this.#state === ClientState.head && this.#assembler.length === 0)
      this.#deadline.expectNextRequest();
  }

  checkDeadlines(now: number): void {
    this.#sendWatch?.checkDeadlines(now);
    if (!this.#deadline.isDue(now)) return;
    if (this.#state === ClientState.head && this.#assembler.length > 0) {
      this.#exchange.refuse(HEAD_TIMEOUT);
    } else if (this.#state === ClientState.body) {
      this.#exchange.onRequestBroken(BODY_TIMEOUT);
    } else {
      this.#connection.close();
    }
  }

  onPeerTaking(): void {
    this.#tunnel?.onClientTaking();
  }

  onPeerHasAll(): void {
    this.#tunnel?.onClientHasAll();
  }

  onPeerStalled(): void {
    this.#connection.abort();
  }

  /** A response is being sent: meanwhile the client must not time out as silent. */
  #noteAnswering(): void {
    // A client that is gone completely answers the first bytes with a reset.
    if (this.#hasEnded) this.#deadline.clear();
    else if (this.#state === ClientState.body) this.#deadline.expectBody();
  }

  #watchSending(): SendWatch {
    this.#sendWatch ??= new SendWatch(this.#connection, this.#services.queueWatch, this);
    return this.#sendWatch;
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
    else if (this.#state === ClientState.tunnel) this.#tunnel!.onClientData(buffer, position, end);
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
    if (after < 0) return this.#refuse(after, end);
    if (after === INCOMPLETE) {
      if (end - start >= headBytes) {
        return this.#refuse(head.lineEnd === 0 ? Fault.targetTooLong : Fault.headTooLarge, end);
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
    if (bodyEnd < 0) return this.#refuse(bodyEnd, end);
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

  #refuse(fault: number, end: number): number {
    this.#exchange.refuse(describeFault(fault));
    return end;
  }

  #setReading(): void {
    if (!this.#reading.settle()) return;
    if (this.#reading.isPaused) this.#deadline.clear();
    else if (this.#state === ClientState.body) this.#deadline.expectBody();
  }

  #finish(): void {
    const hasAhead = this.#reading.takeAhead() !== null;
    this.#state = ClientState.linger;
    this.#assembler.clear();
    // Nothing can be on its way that would turn the end of the connection into a reset.
    if (this.#isLast && !hasAhead) {
      this.#connection.close();
      return;
    }
    this.#deadline.linger();
    if (!this.#hasEnded) this.#setReading();
    this.#connection.shutdown();
  }
}
