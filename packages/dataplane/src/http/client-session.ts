import type { Connection, ConnectionHandler } from '../io/transport.ts';
import type { Router } from '../router.ts';
import { BodyFraming } from './body-framing.ts';
import { BODY_CUT, BODY_TIMEOUT, HEAD_TIMEOUT } from './client-faults.ts';
import type { ClientPort, ExchangeServices } from './exchange-services.ts';
import { Exchange } from './exchange.ts';
import { Fault, INCOMPLETE, describeFault } from './fault.ts';
import { HeadAssembler } from './head-assembler.ts';
import { type ClientIdentity, createClientIdentity } from './request-writer.ts';

const State = {
  /** Between requests, or inside a head. */
  head: 0,
  body: 1,
  /** The request is complete, the answer is not. */
  wait: 2,
  tunnel: 3,
  /** FIN sent; what still comes is swallowed, so that no RST destroys the last answer on its way. */
  linger: 4,
  closed: 5,
} as const;

/** How long an unused connection may live on when the server closes: long enough for a request already on its way. */
const CLOSING_IDLE_MS = 500;

/** One client connection: cuts the byte stream into requests and has them answered in order, one at a time. */
export class ClientSession implements ConnectionHandler, ClientPort {
  readonly identity: ClientIdentity;
  readonly address: string;
  readonly #connection: Connection;
  readonly #services: ExchangeServices;
  readonly #onGone: (session: ClientSession) => void;
  readonly #exchange: Exchange;
  readonly #assembler = new HeadAssembler();
  readonly #body = new BodyFraming();
  #state: number = State.head;
  /** Requests that came before the one under way was answered. */
  #ahead: Buffer | null = null;
  #isCutting = false;
  #isHeldByUpstream = false;
  #isPaused = false;
  #hasEnded = false;
  /** The deadline is that of a head under way, which further bytes do not move. */
  #hasHeadDeadline = false;
  #readDeadline = 0;
  #writeDeadline = 0;

  constructor(
    connection: Connection,
    services: ExchangeServices,
    place: { readonly router: Router; readonly onGone: (session: ClientSession) => void },
  ) {
    this.#connection = connection;
    this.#services = services;
    this.#onGone = place.onGone;
    this.address = connection.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
    const { localAddress, localPort } = connection;
    this.identity = createClientIdentity(this.address, localAddress, localPort);
    this.#exchange = new Exchange(this, services, place.router);
    this.#readDeadline = services.clock.now() + services.timeouts.clientHeadMs;
  }

  // Bytes of the client

  onData(buffer: Buffer, start: number, end: number): void {
    this.#services.counters.requestBytes += end - start;
    switch (this.#state) {
      case State.head:
        this.#cut(buffer, start, end);
        return;
      case State.body:
        this.#continueBody(buffer, start, end);
        return;
      case State.wait:
        this.#keepAhead(buffer, start, end);
        return;
      case State.tunnel:
        this.#exchange.onTunnelData(buffer, start, end);
        return;
      default:
        return;
    }
  }

  onDrain(): void {
    this.#writeDeadline = 0;
    this.#exchange.onClientDrain();
  }

  onEnd(): void {
    this.#hasEnded = true;
    switch (this.#state) {
      case State.body:
        this.#exchange.onRequestBroken(BODY_CUT);
        return;
      case State.wait:
        this.#readDeadline = this.#services.clock.now() + this.#services.timeouts.halfCloseMs;
        return;
      case State.tunnel:
        this.#exchange.onTunnelEnd();
        return;
      default:
        this.#connection.close();
    }
  }

  onClose(): void {
    this.#state = State.closed;
    this.#exchange.onClientGone();
    this.#onGone(this);
  }

  // ClientPort

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#state === State.closed || this.#connection.write(buffer, start, end)) return true;
    this.#writeDeadline = this.#services.clock.now() + this.#services.timeouts.writeStallMs;
    return false;
  }

  pauseReading(): void {
    this.#isHeldByUpstream = true;
    this.#setReading();
  }

  resumeReading(): void {
    this.#isHeldByUpstream = false;
    this.#setReading();
  }

  onAnswered(keepAlive: boolean): void {
    if (this.#state === State.closed) return;
    this.#isHeldByUpstream = false;
    if (!keepAlive || (this.#hasEnded && this.#ahead === null)) {
      this.#finish();
      return;
    }
    this.#state = State.head;
    this.#readDeadline = this.#services.clock.now() + this.#idleMs();
    const ahead = this.#ahead;
    if (this.#isCutting || ahead === null) {
      this.#setReading();
      return;
    }
    this.#ahead = null;
    this.#cut(ahead, 0, ahead.length);
    this.#setReading();
  }

  onTunnel(): void {
    this.#state = State.tunnel;
    this.#readDeadline = 0;
    const ahead = this.#ahead;
    this.#ahead = null;
    this.#setReading();
    if (ahead !== null) this.#exchange.onTunnelData(ahead, 0, ahead.length);
    if (this.#hasEnded) this.#exchange.onTunnelEnd();
  }

  shutdown(): void {
    this.#connection.shutdown();
  }

  abort(): void {
    this.#connection.abort();
  }

  // The server's side

  /** The server closes: an unused connection goes soon, others after their answer. */
  startClosing(): void {
    if (this.#state !== State.head || this.#assembler.length > 0) return;
    this.#readDeadline = this.#services.clock.now() + CLOSING_IDLE_MS;
  }

  expire(now: number): void {
    if (this.#writeDeadline !== 0 && now >= this.#writeDeadline) {
      this.#writeDeadline = 0;
      this.#connection.abort();
      return;
    }
    if (this.#readDeadline === 0 || now < this.#readDeadline) return;
    this.#readDeadline = 0;
    if (this.#state === State.head && this.#assembler.length > 0) {
      this.#exchange.refuse(HEAD_TIMEOUT);
    } else if (this.#state === State.body) {
      this.#exchange.onRequestBroken(BODY_TIMEOUT);
    } else {
      this.#connection.close();
    }
  }

  // Inner steps

  /** Takes requests off the bytes for as long as they are answered on the spot. */
  #cut(buffer: Buffer, start: number, end: number): void {
    let position = start;
    this.#isCutting = true;
    while (this.#state === State.head && position < end) {
      position = this.#readHead(buffer, position, end);
    }
    this.#isCutting = false;
    if (position >= end) return;
    if (this.#state === State.wait) this.#keepAhead(buffer, position, end);
    else if (this.#state === State.tunnel) this.#exchange.onTunnelData(buffer, position, end);
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const assembler = this.#assembler;
    const { headBytes } = this.#services.limits;
    if (assembler.length > 0) {
      assembler.append(buffer, start, end);
      if (!assembler.isWorthParsing() && assembler.length < headBytes) return end;
      const whole = assembler.take();
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
      if (!this.#hasHeadDeadline) this.#startHeadDeadline();
      return end;
    }
    this.#hasHeadDeadline = false;
    return this.#begin(buffer, after, end);
  }

  #startHeadDeadline(): void {
    this.#hasHeadDeadline = true;
    this.#readDeadline = this.#services.clock.now() + this.#services.timeouts.clientHeadMs;
  }

  #begin(buffer: Buffer, bodyStart: number, end: number): number {
    const head = this.#services.requestHead;
    const body = this.#body;
    if (head.length.isChunked) body.chunked();
    else if (head.length.contentLength > 0) body.length(head.length.contentLength);
    else body.none();
    const bodyEnd = body.isDone ? bodyStart : body.take(buffer, bodyStart, end, null);
    if (bodyEnd < 0) return this.#refuse(bodyEnd, end);
    this.#state = body.isDone ? State.wait : State.body;
    this.#readDeadline = 0;
    if (!body.isDone) this.#expectBody();
    this.#exchange.begin(buffer, head, { end: bodyEnd, isComplete: body.isDone });
    return bodyEnd;
  }

  #continueBody(buffer: Buffer, start: number, end: number): void {
    const stop = this.#body.take(buffer, start, end, null);
    if (stop < 0) {
      this.#exchange.onRequestBroken(describeFault(stop));
      return;
    }
    if (this.#body.isDone) {
      this.#state = State.wait;
      this.#readDeadline = 0;
    } else {
      this.#expectBody();
    }
    this.#exchange.onRequestBody(buffer, start, stop, this.#body.isDone);
    if (stop >= end) return;
    // The answer may have come while the body was still being sent, and the next request is here already.
    if (this.#state === State.wait) this.#keepAhead(buffer, stop, end);
    else if (this.#state === State.head) this.#cut(buffer, stop, end);
  }

  #expectBody(): void {
    this.#readDeadline = this.#services.clock.now() + this.#services.timeouts.clientBodyIdleMs;
  }

  #keepAhead(buffer: Buffer, start: number, end: number): void {
    const piece = buffer.subarray(start, end);
    this.#ahead = this.#ahead === null ? Buffer.from(piece) : Buffer.concat([this.#ahead, piece]);
    this.#setReading();
  }

  #refuse(fault: number, end: number): number {
    this.#exchange.refuse(describeFault(fault));
    return end;
  }

  #setReading(): void {
    const isPaused = this.#isHeldByUpstream || this.#ahead !== null;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) {
      this.#connection.pause();
      this.#readDeadline = 0;
      return;
    }
    this.#connection.resume();
    if (this.#state === State.body) this.#expectBody();
  }

  #finish(): void {
    this.#state = State.linger;
    this.#ahead = null;
    this.#assembler.clear();
    this.#readDeadline = this.#services.clock.now() + this.#services.timeouts.lingerMs;
    if (this.#hasEnded) {
      this.#connection.shutdown();
      return;
    }
    this.#setReading();
    this.#connection.shutdown();
  }

  #idleMs(): number {
    const { isClosing, timeouts } = this.#services;
    return isClosing ? CLOSING_IDLE_MS : timeouts.clientKeepAliveMs;
  }
}
