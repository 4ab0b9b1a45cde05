import type { InstancePorts } from '@rollcall/contract';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** Diagnostics channels on which Node.js reports the requests of its servers. */
const HTTP1 = 'http.server.request.start';
const HTTP2 = 'http2.server.stream.start';

interface Http1Start {
  readonly response: EventEmitter;
  readonly socket: Socket;
}

interface Http2Start {
  readonly stream: EventEmitter & { readonly session?: { readonly socket: Socket } | undefined };
}

/**
 * The HTTP requests in progress in this process that arrived on the ports of an instance. A drain waits for them unless
 * the application passes its own `whenIdle`.
 */
export class ServedRequests {
  readonly #ports: ReadonlySet<number>;
  readonly #onHttp1: ChannelListener = (message) => {
    const { response, socket } = message as Http1Start;
    this.#count(response, socket);
  };
  readonly #onHttp2: ChannelListener = (message) => {
    const { stream } = message as Http2Start;
    this.#count(stream, stream.session?.socket);
  };
  #underWay = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(ports: InstancePorts) {
    const numbers = Object.values(ports).flatMap(({ port, containerPort = port }) => [
      port,
      containerPort,
    ]);
    this.#ports = new Set(numbers);
    subscribe(HTTP1, this.#onHttp1);
    subscribe(HTTP2, this.#onHttp2);
  }

  /** Resolves at the first moment without a request in progress. */
  whenIdle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return (this.#idle ??= Promise.withResolvers<void>()).promise;
  }

  /** Stops counting requests. Safe to call twice. */
  close(): void {
    unsubscribe(HTTP1, this.#onHttp1);
    unsubscribe(HTTP2, this.#onHttp2);
  }

  #count(answer: EventEmitter, socket: Socket | undefined): void {
    if (socket?.localPort === undefined || !this.#ports.has(socket.localPort)) return;
    this.#underWay++;
    answer.once('close', () => {
      if (--this.#underWay > 0) return;
      this.#idle?.resolve();
      this.#idle = undefined;
    });
  }
}
