import { errorMonitor } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { RollcallError } from '../base/error.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import type { Reach } from '../calls/reach.ts';
import type { RequestTrace } from '../diagnostics/request-trace.ts';
import { isCallerFault, isInstanceFault, isLocalFault } from '../calls/request-fault.ts';
import type { ServiceDispatcher } from '../calls/service-dispatcher.ts';
import { Tries } from '../calls/tries.ts';
import type { ClientRequest, SocketOptions } from './agent-internals.ts';
import { createEndpointAgent, type EndpointAgent, type RequestFate } from './endpoint-agent.ts';
import { type ConnectionUser, leaveConnection, useConnection } from './connection-loss.ts';
import { GivenUp } from './given-up.ts';

const CALL = Symbol('the call of a request');

interface CallRequest extends ClientRequest {
  /** The call that the request belongs to. */
  [CALL]?: AgentCall;
}

/** What becomes of a request at its endpoint, told to its call. */
const FATE: RequestFate = {
  onConnection: (request: CallRequest, socket) => request[CALL]?.onConnection(socket),
  onNoConnection: (request: CallRequest, error) => request[CALL]?.wentElsewhere(error) === true,
};

/**
 * One request of Node.js's http module to a service: chooses the endpoint, and tells the pool what came of it. A request
 * whose connection could not be made goes to another endpoint, since nothing of it was sent. A later failure is the
 * caller's to handle: an agent cannot send a request again.
 */
export class AgentCall implements ConnectionUser {
  readonly #request: CallRequest;
  readonly #options: SocketOptions;
  readonly #dispatcher: ServiceDispatcher;
  readonly #reach: Reach;
  /** While it waits for a connection. */
  #givenUp: GivenUp | undefined;
  #tries: Tries | undefined;
  /** Aborts the wait for an endpoint. */
  #waiting: AbortController | undefined;
  #channel: EndpointChannel | undefined;
  #trace: RequestTrace | undefined;
  #sentMs = 0;
  /** The instance closed or broke the connection before the answer was complete. */
  #isLost = false;
  #isUpgraded = false;
  /** What the request failed of. */
  #error: Error | undefined;
  #socket: Duplex | undefined;
  #response: IncomingMessage | undefined;

  constructor(
    request: ClientRequest,
    options: SocketOptions,
    dispatcher: ServiceDispatcher,
    reach: Reach,
  ) {
    this.#request = request;
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#reach = reach;
  }

  start(): void {
    const request = this.#request;
    request[CALL] = this;
    // Monitors, since a listener would hide an error from the process when the caller has none.
    request.on(errorMonitor, onError);
    // First of all: the caller's own listener may be gone after its call.
    request.prependListener('response', onResponse);
    request.on('close', onClose);
    this.#dispatcher.started();
    this.#trace = this.#dispatcher.trace(request.method, request.path);
    this.#addHeaders();
    const channel = this.#dispatcher.pick();
    if (channel === undefined) void this.#sendLater();
    else this.#send(channel);
    // Mostly there is a free connection, and nothing to wait for.
    if (this.#socket === undefined) this.#givenUp = new GivenUp(request, this.#reach.runtime, this);
  }

  onError(error: Error): void {
    this.#error = error;
    // Node.js tells of a connection's end only after it has destroyed the request; that end was heard before.
    if (!this.#request.destroyed && isInstanceFault(error)) this.#isLost = true;
  }

  /** It is given a connection. */
  onConnection(socket: Duplex): void {
    this.#givenUp?.stopWaiting();
    this.#socket = socket;
    useConnection(socket, this);
  }

  onResponse(response: IncomingMessage): void {
    this.#response = response;
    this.#trace?.answered(response.statusCode ?? 0);
    if (this.#channel !== undefined)
      this.#dispatcher.answered(this.#channel, response.statusCode ?? 0, this.#elapsedMs);
    // Without another listener Node.js would discard the body: with this one it has to be done here.
    if (this.#request.listenerCount('response') === 1) response.resume();
  }

  onClose(): void {
    this.#givenUp?.stopWaiting();
    this.#waiting?.abort();
    if (this.#socket !== undefined) leaveConnection(this.#socket, this);
    this.#end();
  }

  onConnectionLost(error?: Error): void {
    const isOwn = this.#request.destroyed || this.#response?.destroyed === true;
    if (!isOwn && (error === undefined || isInstanceFault(error))) this.#isLost = true;
  }

  onConnectionTaken(): void {
    this.#isUpgraded = true;
    // A proxy may refuse a CONNECT.
    const status = this.#request.res?.statusCode ?? 101;
    this.#trace?.answered(status);
    const channel = this.#leave();
    if (channel !== undefined) this.#dispatcher.answered(channel, status, this.#elapsedMs);
  }

  /** Its connection could not be made. @returns whether it goes to another endpoint. */
  wentElsewhere(error: Error): boolean {
    const channel = this.#leave();
    if (channel === undefined || this.#request.destroyed) return false;
    if (isLocalFault(error) || isCallerFault(error)) return false;
    this.#trace?.failedTry(error);
    this.#dispatcher.failed(channel, 'connect', { error, isCounted: false });
    const tries = (this.#tries ??= new Tries(this.#dispatcher.maxTries));
    tries.note(channel, error, false);
    if (tries.isEnough) return this.#gaveUp();
    const other = this.#dispatcher.pickOther(tries.channels);
    if (other === undefined || !this.#dispatcher.takeRetry()) return this.#gaveUp();
    this.#send(other);
    return true;
  }

  async #sendLater(): Promise<void> {
    const request = this.#request;
    this.#waiting = new AbortController();
    const found = await this.#dispatcher.channel(this.#waiting.signal);
    if (request.destroyed) request.onSocket(null);
    else if (found instanceof RollcallError) {
      this.#dispatcher.gaveUp();
      request.onSocket(null, found);
    } else this.#send(found);
  }

  #gaveUp(): false {
    this.#dispatcher.gaveUp();
    return false;
  }

  #send(channel: EndpointChannel): void {
    this.#channel = channel;
    this.#trace?.tried(channel.endpoint);
    this.#addHeaders();
    this.#sentMs = this.#dispatcher.nowMs();
    channel.begin();
    try {
      agentOf(channel, this.#reach).addRequest(this.#request, this.#options);
    } catch (error) {
      // An address that cannot be dialled.
      if (!this.wentElsewhere(error as Error)) this.#request.onSocket(null, error as Error);
    }
  }

  /** What subscribers add, as long as Node.js has not written the head. */
  #addHeaders(): void {
    if (this.#trace === undefined || this.#request.headersSent) return;
    for (const [name, value] of Object.entries(this.#trace.headers))
      this.#request.setHeader(name, value);
  }

  onGivenUp(reason?: Error): void {
    this.#waiting?.abort();
    if (this.#channel !== undefined)
      agentOf(this.#channel, this.#reach).queue.forget(this.#request, reason);
  }

  get #elapsedMs(): number {
    return this.#dispatcher.nowMs() - this.#sentMs;
  }

  #end(): void {
    const isComplete = this.#response?.complete === true || this.#isUpgraded;
    if (isComplete) this.#trace?.ended();
    else {
      const lost = new RollcallError('response_lost', 'the request ended before its answer');
      this.#trace?.failed(this.#error ?? lost);
    }
    const channel = this.#leave();
    if (channel === undefined || !this.#isLost || isComplete) return;
    const hasAnswered = this.#response !== undefined;
    const error = this.#error ?? new Error('the connection ended before its answer');
    this.#dispatcher.failed(channel, 'call', { error, isCounted: hasAnswered });
    if (!hasAnswered) this.#dispatcher.gaveUp();
  }

  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.end();
    return channel;
  }
}

// The same listeners for every request: closures for each would cost more than the rest.

function onError(this: CallRequest, error: Error): void {
  this[CALL]?.onError(error);
}

function onResponse(this: CallRequest, response: IncomingMessage): void {
  this[CALL]?.onResponse(response);
}

function onClose(this: CallRequest): void {
  this[CALL]?.onClose();
}

function agentOf(channel: EndpointChannel, { calls: options, runtime }: Reach): EndpointAgent {
  return channel.own('http', () =>
    createEndpointAgent({ channel, calls: options, runtime, fate: FATE }),
  );
}
