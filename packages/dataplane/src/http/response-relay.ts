import type { FieldEdits } from '../model/router.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ExchangeServices } from './exchange-services.ts';
import { Fault, INCOMPLETE } from './fault.ts';
import { ResponseReader } from './response-reader.ts';
import type { ResponseRewrite } from './response-writer.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** What the relay reports while it reads; every method may end the exchange. */
export interface RelayOwner {
  readonly record: RequestRecord;
  /** Whether an answer with this status is not passed on, because another target is tried already. */
  replacesAnswer(status: number): boolean;
  /** @returns whether the client's connection stays open after this answer. */
  onAnswerHead(status: number, isKeepable: boolean): boolean;
  /** What the rule changes in the answer. */
  answerEdits(): FieldEdits | undefined;
  /** What is changed in the answer that switches protocols. */
  switchEdits(): FieldEdits | undefined;
  onAnswerEnd(keepAliveSeconds: number | undefined): void;
  onAnswerBroken(fault: number): void;
  onSwitched(): void;
}

export interface RelayedRequest {
  readonly isHead: boolean;
  readonly minorVersion: number;
  readonly isUpgrade: boolean;
}

const NO_REQUEST: RelayedRequest = { isHead: false, minorVersion: 1, isUpgrade: false };
const CONTINUE_ONLY: ResponseRewrite = {
  connection: 'implied',
  dropTransferEncoding: true,
  dropContentLength: true,
  isFinal: false,
  hasRoom: false,
};

/** Forwards responses from a target to the client, with the head and the first body bytes in one write. */
export class ResponseRelay {
  /** The client has not taken the last write yet. */
  isBlocked = false;
  hasPassedInterim = false;
  /** Any bytes arrived during this attempt. */
  hasBytes = false;
  #request = NO_REQUEST;
  #hasFinal = false;
  #isDechunking = false;
  #isReusable = false;
  #keepAliveSeconds = -1;
  readonly #reader: ResponseReader;
  #client!: ClientPort;
  readonly #services: ExchangeServices;
  readonly #owner: RelayOwner;

  constructor(services: ExchangeServices, owner: RelayOwner) {
    this.#services = services;
    this.#owner = owner;
    this.#reader = new ResponseReader(services.responseHead, services);
  }

  attach(client: ClientPort): void {
    this.#client = client;
    this.isBlocked = false;
  }

  get isUntilClose(): boolean {
    return this.#reader.framing.isUntilClose;
  }

  /** The complete response was written to the client's connection, which may not have taken all of it yet. */
  get isComplete(): boolean {
    return this.#hasFinal && this.#reader.framing.isDone;
  }

  start(request: RelayedRequest): void {
    this.#request = request;
    this.hasPassedInterim = false;
  }

  reset(): void {
    this.#reader.reset();
    this.hasBytes = false;
    this.#hasFinal = false;
    this.#isDechunking = false;
  }

  /** Writes to the client; `upstream`, when given, is paused until the write has drained. */
  send(
    upstream: UpstreamConnection | undefined,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#owner.record.responseBytes += end - start;
    this.#services.counters.responseBytes += end - start;
    if (this.#client.write(buffer, start, end)) return;
    this.isBlocked = true;
    if (upstream !== undefined) this.#hold(upstream);
  }

  onClientDrain(upstream: UpstreamConnection | undefined): void {
    this.isBlocked = false;
    if (upstream === undefined) return;
    upstream.resume();
    if (this.isComplete) this.#finish(upstream);
    else this.#expectMore(upstream);
  }

  readHead(upstream: UpstreamConnection, buffer: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    const { responseHead } = this.#services;
    this.hasBytes = true;
    let source = buffer;
    let position = start;
    let stop = end;
    while (position < stop) {
      const after = reader.readHead(source, position, stop);
      if (after === INCOMPLETE) return;
      if (after < 0) {
        this.#owner.onAnswerBroken(after);
        return;
      }
      source = reader.buffer;
      position = after;
      stop = reader.end;
      if (responseHead.status === 101) {
        this.#switch(upstream);
        return;
      }
      if (responseHead.status >= 200) {
        if (!this.#owner.replacesAnswer(responseHead.status)) this.#relayFinal(upstream);
        return;
      }
      this.#relayInterim(upstream);
    }
  }

  /**
   * Reads over the answer whose head was read last, as far as it has come.
   * @returns the seconds for which the target keeps its connection, or undefined when that cannot be used again.
   */
  skipAnswer(): number | undefined {
    const { isPersistent, keepAliveSeconds } = this.#services.responseHead;
    const { framing, buffer, position, end } = this.#reader;
    this.#reader.frameBody(this.#request.isHead);
    const stop = framing.consume(buffer, position, end, null);
    const isWhole = framing.isDone && stop === end;
    return isPersistent && isWhole ? keepAliveSeconds : undefined;
  }

  readBody(upstream: UpstreamConnection, buffer: Buffer, start: number, end: number): void {
    const { framing } = this.#reader;
    const sendData = this.#isDechunking
      ? (bytes: Buffer, from: number, to: number) => this.send(undefined, bytes, from, to)
      : null;
    const stop = framing.consume(buffer, start, end, sendData);
    if (stop < 0) {
      this.#owner.onAnswerBroken(stop);
      return;
    }
    if (stop < end) this.#isReusable = false;
    if (!this.#isDechunking) this.#sendBody(buffer, start, framing.keptEnd);
    this.#afterBody(upstream);
  }

  #relayFinal(upstream: UpstreamConnection): void {
    const { responseHead: head, responseWriter } = this.#services;
    const reader = this.#reader;
    reader.frameBody(this.#request.isHead);
    const { framing } = reader;
    this.#isReusable = head.isPersistent && !framing.isUntilClose;
    this.#keepAliveSeconds = head.keepAliveSeconds;
    const isOld = this.#request.minorVersion === 0;
    this.#isDechunking = isOld && head.length.isChunked && !framing.isDone;
    const headEnd = reader.position;
    let bodyEnd = headEnd;
    let keptEnd = headEnd;
    if (!this.#isDechunking) {
      bodyEnd = framing.consume(reader.buffer, headEnd, reader.end, null);
      keptEnd = framing.keptEnd;
    }
    if (bodyEnd < 0) {
      this.#owner.onAnswerBroken(bodyEnd);
      return;
    }
    const isKeepable = !framing.isUntilClose && !this.#isDechunking;
    this.#hasFinal = true;
    const keepsAlive = this.#owner.onAnswerHead(head.status, isKeepable);
    const kept = isOld ? 'keep-alive' : 'implied';
    responseWriter.rewrite(
      reader.buffer,
      head,
      {
        connection: keepsAlive ? kept : 'close',
        dropTransferEncoding: isOld || this.#request.isHead || head.isBodyless,
        dropContentLength: head.status === 204,
        isFinal: true,
        hasRoom: !this.isBlocked,
        edits: this.#owner.answerEdits(),
      },
      keptEnd,
    );
    this.#countHead(keptEnd - headEnd);
    this.#sendBody(responseWriter.buffer, responseWriter.start, responseWriter.end);
    if (this.#isDechunking) {
      this.readBody(upstream, reader.buffer, headEnd, reader.end);
      return;
    }
    if (bodyEnd < reader.end) this.#isReusable = false;
    this.#afterBody(upstream);
  }

  /** Sends bytes of the response, and the generated end of the body. */
  #sendBody(buffer: Buffer, start: number, end: number): void {
    if (end > start) this.send(undefined, buffer, start, end);
    const { framing } = this.#reader;
    if (!framing.isDone || this.#isDechunking) return;
    const { tail } = framing;
    if (tail === '') return;
    const bytes = Buffer.from(tail, 'latin1');
    this.send(undefined, bytes, 0, bytes.length);
  }

  #afterBody(upstream: UpstreamConnection): void {
    // Blocked: the bytes are still in use, so the connection that they came from must not read
    // yet, even for another request.
    if (this.isBlocked) {
      this.#hold(upstream);
    } else if (this.isComplete) {
      this.#finish(upstream);
    } else {
      this.#expectMore(upstream);
    }
  }

  #relayInterim(upstream: UpstreamConnection): void {
    if (this.#request.minorVersion === 0) return;
    const { responseHead, responseWriter } = this.#services;
    const reader = this.#reader;
    this.hasPassedInterim = true;
    responseWriter.rewrite(reader.buffer, responseHead, CONTINUE_ONLY, reader.position);
    this.#countHead(0);
    this.send(upstream, responseWriter.buffer, responseWriter.start, responseWriter.end);
  }

  #switch(upstream: UpstreamConnection): void {
    const { responseHead, responseWriter } = this.#services;
    if (!this.#request.isUpgrade) {
      this.#owner.onAnswerBroken(Fault.unexpectedUpgrade);
      return;
    }
    const { buffer, position, end } = this.#reader;
    const edits = this.#owner.switchEdits();
    const rewrite: ResponseRewrite = { ...CONTINUE_ONLY, connection: 'upgrade', edits };
    responseWriter.rewrite(buffer, responseHead, rewrite, end);
    this.#countHead(end - position);
    this.send(upstream, responseWriter.buffer, responseWriter.start, responseWriter.end);
    this.#owner.onSwitched();
  }

  /** `bodyBytes`: of what has been written, those after the head. */
  #countHead(bodyBytes: number): void {
    const { start, end } = this.#services.responseWriter;
    this.#owner.record.responseHeadBytes += end - start - bodyBytes;
  }

  #finish(upstream: UpstreamConnection): void {
    upstream.readDeadline = 0;
    this.#owner.onAnswerEnd(this.#isReusable ? this.#keepAliveSeconds : undefined);
  }

  #hold(upstream: UpstreamConnection): void {
    upstream.readDeadline = 0;
    upstream.pause();
  }

  #expectMore(upstream: UpstreamConnection): void {
    const { clock, timeouts } = this.#services;
    upstream.readDeadline = clock.monotonicMs() + timeouts.responseIdleMs;
  }
}
