import type { Decision, Forward, Pending, Respond } from '../model/router.ts';
import { BODY_TOO_LARGE, CONTINUE, TOO_MANY_REQUESTS } from './client-faults.ts';
import { Phase } from './exchange-phase.ts';
import { Forwarding } from './forwarding.ts';
import { HeldRequest } from './held-request.ts';
import { describeFault, INCOMPLETE } from './fault.ts';
import type { RequestHead } from './request-head.ts';

/**
 * One request from its head to the end of its response: what to do with it, and its body. One object per client connection, reused for each request, and for further connections.
 */
export class Exchange extends Forwarding {
  /** Bytes of the body that may still come. */
  #bodyLeft = Number.POSITIVE_INFINITY;
  /** While a decision is waited for. */
  #held: HeldRequest | undefined;

  /** `source` holds the head that was just parsed, and body bytes up to `body.end`. */
  serve(source: Buffer, head: RequestHead, body: { end: number; isComplete: boolean }): void {
    this.wantsKeepAlive = head.isKeptAlive;
    this.start(body.isComplete);
    this.#bodyLeft = Number.POSITIVE_INFINITY;
    this.ledger.read(source, head);
    this.record.requestBytes = body.end - head.start;
    const { gate } = this.services;
    const decision = gate.judge(source, head) ?? this.#route();
    if (decision.kind === 'pending') this.#await(decision, source.subarray(head.start, body.end));
    else this.#follow(decision, source, head, body);
  }

  #follow(
    decision: Forward | Respond,
    source: Buffer,
    head: RequestHead,
    body: { end: number; isComplete: boolean },
  ): void {
    if (decision.kind === 'respond') {
      this.answer(decision);
      return;
    }
    const { group, edits, bodyBytes } = decision;
    if (bodyBytes !== undefined && !this.#fits(bodyBytes, head, body)) return;
    this.forward = decision;
    this.tries.reset(group, decision.client);
    this.record.group = group.name;
    const { requestWriter, trustForwarded, requestIds } = this.services;
    const { requestId } = this.record;
    const idLine = requestId === '' ? '' : (requestIds?.lineFor(requestId, edits) ?? '');
    const rewrite = { head, identity: this.client.identity, trustForwarded, edits, idLine };
    const encoded = requestWriter.encode(source, rewrite, body.end);
    this.tries.replay.reset(encoded, body.end - head.end, requestWriter.fieldsAt);
    this.relay.start({
      isHead: this.record.isHead,
      minorVersion: head.minorVersion,
      isUpgrade: head.isWebSocketUpgrade,
    });
    const { collectBytes } = this.services.limits;
    if (body.isComplete || this.tries.replay.bodyBytes >= collectBytes) this.begin();
    else this.#startCollecting(head);
  }

  /** An invalid head: answers it, records it and ends the connection. */
  refuse(answer: Omit<Respond, 'kind'>): void {
    this.wantsKeepAlive = false;
    this.start(false);
    this.answer(answer);
  }

  onRequestBody(buffer: Buffer, start: number, end: number, isLast: boolean): void {
    this.record.requestBytes += end - start;
    if (this.phase === Phase.deciding) {
      this.#held!.add(buffer.subarray(start, end));
      this.isRequestComplete = isLast;
      return;
    }
    this.#bodyLeft -= end - start;
    if (this.#bodyLeft < 0) {
      this.onRequestBroken(BODY_TOO_LARGE);
      return;
    }
    if (this.phase === Phase.queued) {
      this.tries.replay.add(buffer.subarray(start, end), Number.POSITIVE_INFINITY);
      this.isRequestComplete = isLast;
      return;
    }
    if (this.phase === Phase.collecting) {
      this.#collect(buffer.subarray(start, end), isLast);
      return;
    }
    const { upstream } = this.attempt;
    if (upstream === undefined) return;
    if (this.record.isIdempotent || !upstream.isOpen) {
      this.tries.replay.add(buffer.subarray(start, end), this.services.limits.replayBytes);
    }
    this.isRequestComplete = isLast;
    if (!upstream.isOpen) return;
    // The target already responds but still reads the request: as long as more of it arrives, its time starts again.
    if (this.phase === Phase.responding) this.attempt.postpone(true);
    if (end > start && !this.attempt.write(buffer, start, end)) this.client.pauseReading();
    if (isLast) this.awaitAnswer();
  }

  /** The end of the request body (trailers and final CR LF), written by the proxy, not copied from the client. */
  onRequestTail(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.onRequestBody(bytes, 0, bytes.length, true);
  }

  /** The body is malformed, or stopped arriving. */
  onRequestBroken(answer: Omit<Respond, 'kind'>): void {
    this.wantsKeepAlive = false;
    this.attempt.giveUp('cancelled', answer.code);
    if (this.phase === Phase.responding) this.abort(answer.code);
    else if (this.phase !== Phase.flushing) this.answer(answer);
  }

  /** The buffer will have other bytes by the time of the decision. */
  #await(pending: Pending, bytes: Buffer): void {
    const held = new HeldRequest(bytes);
    this.#held = held;
    this.phase = Phase.deciding;
    if (!this.isRequestComplete) this.client.pauseReading();
    const cancel = pending.start((decision) => {
      if (this.#held !== held) return;
      this.#held = undefined;
      this.cancelWait = undefined;
      this.#decided(decision, held.take());
    });
    if (this.#held === held) {
      this.cancelWait = () => {
        this.#held = undefined;
        cancel();
      };
    }
  }

  #decided(decision: Forward | Respond, source: Buffer): void {
    this.phase = Phase.connecting;
    const { requestHead, tracer, traceFields, requestIds } = this.services;
    const end = requestHead.parse(source, 0, source.length);
    if (end <= INCOMPLETE) {
      // The limits have become stricter meanwhile.
      this.wantsKeepAlive = false;
      this.answer(describeFault(end));
      return;
    }
    if (tracer !== undefined) traceFields.take(source, requestHead);
    requestIds?.mark(source, requestHead);
    this.client.resumeReading();
    const body = { end: source.length, isComplete: this.isRequestComplete };
    this.#follow(decision, source, requestHead, body);
  }

  /** Whether the body is short enough so far; else it is answered. */
  #fits(most: number, head: RequestHead, body: { end: number; isComplete: boolean }): boolean {
    const come = body.end - head.end;
    this.#bodyLeft = most - come;
    if (come <= most && head.length.contentLength <= most) return true;
    this.wantsKeepAlive &&= this.isRequestComplete;
    this.answer(BODY_TOO_LARGE);
    return false;
  }

  #route(): Decision {
    return this.client.mayRequest() ? this.place.router.route(this.record) : TOO_MANY_REQUESTS;
  }

  #startCollecting({ expectsContinue }: RequestHead): void {
    this.phase = Phase.collecting;
    if (expectsContinue) this.client.write(CONTINUE, 0, CONTINUE.length);
  }

  #collect(piece: Buffer, isLast: boolean): void {
    const { replay } = this.tries;
    replay.add(piece, Number.POSITIVE_INFINITY);
    this.isRequestComplete = isLast;
    if (isLast || replay.bodyBytes >= this.services.limits.collectBytes) this.begin();
  }
}
