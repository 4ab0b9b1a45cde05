import type { FailureKind } from '@rollcall/balancing';
import type { Timer } from '@rollcall/runtime';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CallRules } from './call-rules.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import type { TryFailure } from './tries.ts';
import { isCallerFault, isLocalFault, TRY_TIMEOUT } from './request-fault.ts';

/** The call that a try belongs to. */
export interface WatchedCall extends Required<Dispatcher.DispatchHandler> {
  readonly isOver: boolean;
  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void;
  /** The answer's status asks for another try. @returns whether there is one: then the answer is dropped. */
  leavesAnswer(statusCode: number, headers: IncomingHttpHeaders): boolean;
}

interface TryWatcher {
  later(ms: number, act: () => void, options: { readonly keepsAlive: boolean }): Timer;
  failed(channel: EndpointChannel, kind: FailureKind, failure: TryFailure): void;
}

interface TryParts {
  readonly channel: EndpointChannel;
  readonly owner: TryWatcher;
  readonly rules: CallRules;
}

/** Its connection keeps the process alive while it has one. */
const ALONG = { keepsAlive: false } as const;

/** As much of a dropped answer is read, in bytes and in ms, to keep its connection; a longer one ends with it. */
const MAX_DROPPED_BYTES = 128 * 1_024;
const MAX_DROP_MS = 1_000;

type Controller = Dispatcher.DispatchController;

/**
 * One try of a call with rules for its tries: it stands between undici and the call until the call leaves it, because the
 * head of its answer took too long or has a status that asks for another try. What it does afterwards is nobody's answer.
 */
class WatchedTry implements Dispatcher.DispatchHandler {
  readonly #call: WatchedCall;
  readonly #channel: EndpointChannel;
  readonly #owner: TryWatcher;
  readonly #rules: CallRules;
  #timer: Timer | undefined;
  #controller: Controller | undefined;
  /** Why the call has left it. */
  #left: Error | undefined;
  #droppedBytes = 0;

  constructor(call: WatchedCall, { channel, owner, rules }: TryParts) {
    this.#call = call;
    this.#channel = channel;
    this.#owner = owner;
    this.#rules = rules;
    const { tryTimeoutMs } = rules;
    if (tryTimeoutMs > 0)
      this.#timer = owner.later(tryTimeoutMs, () => this.#giveUp(tryTimeoutMs), ALONG);
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = controller;
    if (this.#left === undefined) this.#call.onRequestStart(controller, context);
    else controller.abort(this.#left);
  }

  onResponseStart(
    controller: Controller,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (this.#left !== undefined) return;
    if (statusCode >= 200) this.#timer?.cancel();
    if (this.#rules.on.includes(statusCode) && this.#call.leavesAnswer(statusCode, headers))
      this.#drop(controller, headers);
    else this.#call.onResponseStart(controller, statusCode, headers, statusMessage);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#left === undefined) this.#call.onResponseData(controller, chunk);
    else if ((this.#droppedBytes += chunk.length) > MAX_DROPPED_BYTES) controller.abort(this.#left);
  }

  onResponseEnd(controller: Controller, trailers: IncomingHttpHeaders): void {
    this.#timer?.cancel();
    if (this.#left === undefined) this.#call.onResponseEnd(controller, trailers);
  }

  onRequestUpgrade(
    controller: Controller,
    statusCode: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#timer?.cancel();
    if (this.#left === undefined)
      this.#call.onRequestUpgrade(controller, statusCode, headers, socket);
    else socket.destroy();
  }

  onResponseError(controller: Controller | null, error: Error): void {
    this.#timer?.cancel();
    if (this.#left === undefined) this.#call.onResponseError(controller, error);
    else if (this.#controller === undefined && !isCallerFault(error) && !isLocalFault(error))
      // Given up while it waited for a connection that could not be made, as it turns out.
      this.#owner.failed(this.#channel, 'connect', { error, isCounted: true });
  }

  onResponseStarted(): void {
    if (this.#left === undefined) this.#call.onResponseStarted();
  }

  onBodySent(chunk: Buffer): void {
    if (this.#left === undefined) this.#call.onBodySent(chunk);
  }

  onRequestSent(): void {
    if (this.#left === undefined) this.#call.onRequestSent();
  }

  #giveUp(limitMs: number): void {
    if (this.#left !== undefined || this.#call.isOver) return;
    const what = this.#controller === undefined ? 'no connection' : 'no answer';
    this.#left = Object.assign(new Error(`${what} within ${limitMs} ms`), { code: TRY_TIMEOUT });
    this.#controller?.abort(this.#left);
    this.#call.onResponseError(null, this.#left);
  }

  #drop(controller: Controller, headers: IncomingHttpHeaders): void {
    this.#left = new Error('another try has been made');
    if (Number(headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) controller.abort(this.#left);
    else this.#timer = this.#owner.later(MAX_DROP_MS, () => controller.abort(this.#left!), ALONG);
  }
}

/** The handler of a try: the call itself, unless its rules are about tries. */
export function watched(
  call: WatchedCall,
  channel: EndpointChannel,
  owner: TryWatcher,
  rules: CallRules,
): WatchedCall | WatchedTry {
  const isNeeded = rules.tryTimeoutMs > 0 || rules.on.length > 0;
  return isNeeded ? new WatchedTry(call, { channel, owner, rules }) : call;
}
