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
import { createEndpointAgent, type EndpointAgent } from './endpoint-agent.ts';
import { GivenUp } from './given-up.ts';

/** The call that a request belongs to. */
const calls = new WeakMap<ClientRequest, AgentCall>();

/** Requests that got no connection go elsewhere, if their call finds another endpoint. */
const onNoConnection = (request: ClientRequest, error: Error) =>
  calls.get(request)?.wentElsewhere(error) === true;

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
  readonly #tries: Tries;
  /** Aborted when it needs no endpoint any more. */
  readonly #over = new AbortController();
  readonly #givenUp: GivenUp;
  #channel: EndpointChannel | undefined;
  #trace: RequestTrace | undefined;
  #sentMs = 0;
  /** The instance closed or broke the connection before the answer was complete. */
  #isLost = false;
  #isUpgraded = false;
  /** What the request failed of. */
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
    this.#tries = new Tries(dispatcher.maxTries);
    this.#givenUp = new GivenUp(request, reach.runtime, (reason) => this.#onGivenUp(reason));
  }

  async start(): Promise<void> {
    const request = this.#request;
    calls.set(request, this);
    this.#listen();
    this.#dispatcher.started();
    this.#trace = this.#dispatcher.trace(request.method, request.path);
    const found = await this.#dispatcher.channel(this.#over.signal);
    if (request.destroyed) request.onSocket(null);
    else if (found instanceof RollcallError) {
      this.#dispatcher.gaveUp();
      request.onSocket(null, found);
    } else this.#send(found);
  }

  /** Its connection could not be made. @returns whether it goes to another endpoint. */
  wentElsewhere(error: Error): boolean {
    const channel = this.#leave();
    if (channel === undefined || this.#request.destroyed) return false;
    if (isLocalFault(error) || isCallerFault(error)) return false;
    this.#trace?.failedTry(error);
    this.#dispatcher.failed(channel, 'connect', { error, isCounted: false });
    this.#tries.note(channel, error, false);
    if (this.#tries.isEnough) return this.#gaveUp();
    const other = this.#dispatcher.pickOther(this.#tries.channels);
    if (other === undefined || !this.#dispatcher.takeRetry()) return this.#gaveUp();
    this.#send(other);
    return true;
  }

  #listen(): void {
    const request = this.#request;
    // Monitors, since a listener would hide an error from the process when the caller has none.
    request.once(errorMonitor, (error: Error) => {
      this.#error = error;
      if (!this.#givenUp.isGivenUp && isInstanceFault(error)) this.#isLost = true;
    });
    request.once('socket', (socket) => this.#watch(socket));
    // First of all: the caller's own listener may be gone after its call.
    request.prependOnceListener('response', (response) => {
      this.#answered(response);
      // Without a listener Node.js would discard the body: with this one it has to be done here.
      if (request.listenerCount('response') === 0) response.resume();
    });
    request.once('close', () => this.#end());
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

  #onGivenUp(reason?: Error): void {
    this.#over.abort();
    if (this.#channel !== undefined)
      agentOf(this.#channel, this.#reach).forget(this.#request, reason);
  }

  #watch(socket: Duplex): void {
    // Before Node.js and the caller hear of it, and may destroy something themselves.
    const onLost = (error?: Error) => {
      const isOwn = this.#givenUp.isGivenUp || this.#response?.destroyed === true;
      if (!isOwn && (error === undefined || isInstanceFault(error))) this.#isLost = true;
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
      this.#isUpgraded = true;
      // A proxy may refuse a CONNECT.
      const status = this.#request.res?.statusCode ?? 101;
      this.#trace?.answered(status);
      const channel = this.#leave();
      if (channel !== undefined) this.#dispatcher.answered(channel, status, this.#elapsedMs);
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
    this.#over.abort();
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

function agentOf(channel: EndpointChannel, { calls: options, runtime }: Reach): EndpointAgent {
  return channel.own('http', () =>
    createEndpointAgent({ channel, calls: options, runtime, onNoConnection }),
  );
}
