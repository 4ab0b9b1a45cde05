import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server as Http1Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { type Server as NetServer, Server, type Socket } from 'node:net';
import type { Clock } from '@rollcall/runtime';
import { pause } from '@rollcall/runtime';
import type { Ending, EndingOptions } from './ending.ts';

export type HttpServer = Http1Server | Http2Server | Http2SecureServer;

/** Node.js publishes each HTTP/1.1 request of its servers here, before the application sees it. */
const REQUEST_START = 'http.server.request.start';

interface RequestStart {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: unknown;
}

/** How often connections are looked at while they end, in ms. */
const LOOK_EVERY_MS = 10;

/** Tells a client of HTTP/2 to open no more streams, and refuses none that is on its way. */
const HIGHEST_STREAM = 2 ** 31 - 1;

/** What is known of one connection of HTTP/1.1. */
interface Line {
  readonly responses: Set<ServerResponse>;
  /** Belongs to the application, for a WebSocket or a tunnel: it is not closed before {@link HttpEnding.cut}. */
  isTaken: boolean;
  /** Monotonic, in ms. */
  quietSinceMs: number;
  /** Bytes that had come by then. */
  bytesRead: number;
}

/** Ends a server of node:http, node:https or node:http2. */
export class HttpEnding implements Ending {
  readonly #server: HttpServer;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly #lingerMs: number;
  readonly #lines = new Map<Socket, Line>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** The other ends of their connections. */
  readonly #ofSessions = new Set<string>();
  readonly #onRequest: ChannelListener = (message) => this.#began(message as RequestStart);
  #leaving: Promise<void> | undefined;
  #isCut = false;

  /** Connections that were open before are not known to it: create it before the server listens, or right after. */
  constructor(
    server: HttpServer,
    clock: Pick<Clock, 'monotonicMs' | 'after'>,
    { lingerMs }: EndingOptions,
  ) {
    this.#server = server;
    this.#clock = clock;
    this.#lingerMs = lingerMs;
    subscribe(REQUEST_START, this.#onRequest);
    // What the other event of a TLS server passes is below the sockets that requests name.
    const isSecure = 'setSecureContext' in server;
    const emitter: NetServer = server;
    emitter.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
      // Node.js has told of its session before, if it has one.
      if (!this.#ofSessions.has(peerOf(socket))) this.#line(socket);
    });
    emitter.on('session', (session: ServerHttp2Session) => this.#opened(session));
    this.#noteTaken('upgrade');
    this.#noteTaken('connect');
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  cut(): number {
    this.#isCut = true;
    unsubscribe(REQUEST_START, this.#onRequest);
    const open = this.#lines.size + this.#sessions.size;
    for (const socket of this.#lines.keys()) socket.destroy();
    for (const session of this.#sessions) session.destroy();
    this.#stopListening();
    return open;
  }

  async #leave(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    for (const line of this.#lines.values()) {
      line.quietSinceMs = Math.max(line.quietSinceMs, nowMs);
      for (const response of line.responses) askToLeave(response);
    }
    for (const session of this.#sessions) askSession(session);
    // Somebody may be connecting who does not know yet.
    await pause(this.#clock, this.#lingerMs);
    this.#stopListening();
    for (const session of this.#sessions) session.close();
    while (this.#lines.size + this.#sessions.size > 0 && !this.#isCut) {
      this.#closeSilent();
      await pause(this.#clock, LOOK_EVERY_MS);
    }
  }

  /** Not http's own `close`, which would close each idle connection at once, with what is on its way. */
  #stopListening(): void {
    if (this.#server.listening) Server.prototype.close.call(this.#server);
  }

  #closeSilent(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [socket, line] of this.#lines) {
      if (line.isTaken || line.responses.size > 0) continue;
      if (socket.bytesRead !== line.bytesRead) {
        line.bytesRead = socket.bytesRead;
        line.quietSinceMs = nowMs;
      } else if (nowMs - line.quietSinceMs >= this.#lingerMs) socket.destroySoon();
    }
  }

  #line(socket: Socket): Line {
    const known = this.#lines.get(socket);
    if (known !== undefined) return known;
    const line = {
      responses: new Set<ServerResponse>(),
      isTaken: false,
      quietSinceMs: this.#clock.monotonicMs(),
      bytesRead: 0,
    };
    this.#lines.set(socket, line);
    socket.once('close', () => this.#lines.delete(socket));
    return line;
  }

  #began({ response, socket, server }: RequestStart): void {
    if (server !== this.#server) return;
    const line = this.#line(socket);
    line.responses.add(response);
    if (this.#leaving !== undefined) askToLeave(response);
    response.once('close', () => {
      line.responses.delete(response);
      line.quietSinceMs = this.#clock.monotonicMs();
      line.bytesRead = socket.bytesRead;
    });
  }

  #opened(session: ServerHttp2Session): void {
    const peer = peerOf(session.socket);
    this.#sessions.add(session);
    this.#ofSessions.add(peer);
    session.once('close', () => {
      this.#sessions.delete(session);
      this.#ofSessions.delete(peer);
    });
    if (this.#leaving !== undefined) askSession(session);
  }

  /** A listener of ours alone would make Node.js take each such request for handled. */
  #noteTaken(event: 'upgrade' | 'connect'): void {
    const emitter: NetServer = this.#server;
    const take = (_: unknown, socket: Socket) => void (this.#line(socket).isTaken = true);
    if (emitter.listenerCount(event) > 0) {
      emitter.prependListener(event, take);
      return;
    }
    const onListener = (added: string | symbol) => {
      if (added !== event) return;
      emitter.off('newListener', onListener);
      queueMicrotask(() => emitter.prependListener(event, take));
    };
    emitter.on('newListener', onListener);
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

function askToLeave(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

function askSession(session: ServerHttp2Session): void {
  if (!session.destroyed && !session.closed) session.goaway(0, HIGHEST_STREAM);
}
