import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { RollcallError } from '../base/error.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import type { Reach } from '../calls/reach.ts';
import type { RequestTrace } from '../diagnostics/request-trace.ts';
import { isLocalFault } from '../calls/request-fault.ts';
import type { ServiceDispatcher } from '../calls/service-dispatcher.ts';
import type { ClientRequest, SocketOptions } from './agent-internals.ts';
import { createEndpointAgent, type EndpointAgent } from './endpoint-agent.ts';

/** The call that a request belongs to. */
const calls = new WeakMap<ClientRequest, AgentCall>();

/** Requests that got no connection go elsewhere, if their call finds another endpoint. */
const onNoConnection = (request: ClientRequest, error: Error) =>
  calls.get(request)?.wentElsewhere(error) === true;

/** As many refusing endpoints are skipped as by the other ways of calling. */
const MAX_ENDPOINTS = 12;

/**
 * One request of Node.js's http module to a service: chooses the endpoint, and tells the pool what came of it. A request
 * whose connection could not be made goes to another endpoint, since nothing of it was sent. A later failure is the
 * caller's to handle: an agent cannot send a request again.
 */
export class AgentCall {
  readonly #request: ClientRequest;
  readonly #options: SocketOptions;
  readonly #dispatcher: ServiceDispatcher;
  readonly #reach: Reach;
  readonly #tried: EndpointChannel[] = [];
  readonly #ended = new AbortController();
  #channel: EndpointChannel | undefined;
  #trace: RequestTrace | undefined;
  #sentMs = 0;
  /** The instance closed or broke the connection before the answer was complete. */
  #isLost = false;
  #isUpgraded = false;
  /** What ended its connection. */
  #error: Error | undefined;
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

  async start(): Promise<void> {
    const request = this.#request;
    calls.set(request, this);
    request.once('close', () => this.#end());
    // After it has ended: a listener for errors would hide them from the process when the caller has none.
    request.once('close', () => this.#tellEnd());
    request.once('socket', (socket) => this.#watch(socket));
    request.once('response', (response) => {
      this.#answered(response);
      // Without a listener Node.js would discard the body: with this one it has to be done here.
      if (request.listenerCount('response') === 0) response.resume();
    });
    this.#dispatcher.started();
    this.#trace = this.#dispatcher.trace(request.method, request.path);
    const found = await this.#dispatcher.channel(this.#ended.signal);
    if (request.destroyed) request.onSocket(null);
    else if (found instanceof RollcallError) {
      this.#error = found;
      this.#dispatcher.gaveUp();
      request.onSocket(null, found);
    } else this.#send(found);
  }

  /** Its connection could not be made. @returns whether it goes to another endpoint. */
  wentElsewhere(error: Error): boolean {
    const channel = this.#leave();
    if (channel === undefined || this.#request.destroyed) return false;
    if (isLocalFault(error)) return false;
    this.#error = error;
    this.#trace?.failedTry(error);
    this.#dispatcher.failed(channel, 'connect');
    this.#tried.push(channel);
    if (this.#tried.length >= MAX_ENDPOINTS) return this.#gaveUp();
    const other = this.#dispatcher.pickOther(this.#tried);
    if (other === undefined || !this.#dispatcher.takeRetry()) return this.#gaveUp();
    this.#send(other);
    return true;
  }

  #gaveUp(): false {
    this.#dispatcher.gaveUp();
    return false;
  }

  #send(channel: EndpointChannel): void {
    this.#channel = channel;
    this.#trace?.tried(channel.endpoint);
    this.#sentMs = this.#dispatcher.nowMs();
    channel.begin();
    try {
      agentOf(channel, this.#reach).addRequest(this.#request, this.#options);
    } catch (error) {
      // An address that cannot be dialled.
      if (!this.wentElsewhere(error as Error)) this.#request.onSocket(null, error as Error);
    }
  }

  #watch(socket: Duplex): void {
    // Before Node.js and the caller hear of it, and may destroy the request themselves.
    const onLost = (error?: Error) => {
      this.#error = error;
      if (!this.#request.destroyed) this.#isLost = true;
    };
    socket.prependOnceListener('end', onLost);
    socket.prependOnceListener('error', onLost);
    // The connection is used again, or taken over by another protocol.
    const off = () => {
      socket.off('end', onLost);
      socket.off('error', onLost);
      socket.off('agentRemove', onUpgrade);
    };
    const onUpgrade = () => {
      off();
      const channel = this.#leave();
      this.#isUpgraded = true;
      this.#trace?.answered(101);
      if (channel !== undefined) this.#dispatcher.answered(channel, 101, this.#elapsedMs);
    };
    socket.once('agentRemove', onUpgrade);
    this.#request.once('close', off);
  }

  #answered(response: IncomingMessage): void {
    this.#response = response;
    this.#trace?.answered(response.statusCode ?? 0);
    if (this.#channel === undefined) return;
    this.#dispatcher.answered(this.#channel, response.statusCode ?? 0, this.#elapsedMs);
  }

  get #elapsedMs(): number {
    return this.#dispatcher.nowMs() - this.#sentMs;
  }

  #end(): void {
    this.#ended.abort();
    const channel = this.#leave();
    if (channel === undefined || !this.#isLost || this.#response?.complete === true) return;
    this.#dispatcher.failed(channel, 'call');
    if (this.#response === undefined) this.#dispatcher.gaveUp();
  }

  /** An upgraded connection has ended as a call, too. */
  #tellEnd(): void {
    if (this.#response?.complete === true || this.#isUpgraded) this.#trace?.ended();
    else {
      const lost = new RollcallError('response_lost', 'the request ended before its answer');
      this.#trace?.failed(this.#error ?? lost);
    }
  }

  #leave(): EndpointChannel | undefined {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.end();
    return channel;
  }
}

function agentOf(channel: EndpointChannel, { calls: options, runtime }: Reach): EndpointAgent {
  return channel.own('http', () =>
    createEndpointAgent({ channel, calls: options, runtime, onNoConnection }),
  );
}
