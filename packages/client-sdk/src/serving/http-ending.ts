import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server as Http1Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { type Server as NetServer, Server, type Socket } from 'node:net';
import type { Clock } from '@rollcall/runtime';
import { pause } from '@rollcall/runtime';
import type { Ending, EndingOptions } from './ending.ts';
import { ServedSessions } from './served-sessions.ts';

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

/** What is known of one connection of HTTP/1.1. */
interface Line {
  /** In the order of their requests. */
  readonly responses: Set<ServerResponse>;
  /** The one that says that the connection ends. */
  asked: ServerResponse | undefined;
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
  /** Connections whose TLS is not agreed yet, by their other ends. */
  readonly #shaking = new Map<string, Socket>();
  readonly #sessions: ServedSessions;
  /** Take its listeners off the server. */
  readonly #offs: (() => void)[] = [];
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
    this.#sessions = new ServedSessions(clock, lingerMs);
    subscribe(REQUEST_START, this.#onRequest);
    const onOpen = (socket: Socket) => {
      this.#shaking.delete(peerOf(socket));
      // Node.js has told of its session before, if it has one.
      if (!this.#sessions.has(peerOf(socket))) this.#line(socket);
    };
    if ('setSecureContext' in server) {
      this.#on('secureConnection', onOpen);
      this.#on('connection', (socket: Socket) => this.#shake(socket));
    } else this.#on('connection', onOpen);
    this.#on('session', (session: ServerHttp2Session) =>
      this.#sessions.add(peerOf(session.socket), session),
    );
    this.#noteTaken('upgrade');
    this.#noteTaken('connect');
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  cut(): number {
    this.#isCut = true;
    unsubscribe(REQUEST_START, this.#onRequest);
    for (const off of this.#offs) off();
    const open = this.#lines.size + this.#sessions.size;
    for (const socket of [...this.#lines.keys(), ...this.#shaking.values()]) socket.destroy();
    this.#sessions.destroy();
    this.#stopListening();
    return open;
  }

  async #leave(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    for (const line of this.#lines.values()) {
      line.quietSinceMs = Math.max(line.quietSinceMs, nowMs);
      askToLeave(line);
    }
    // Somebody may be connecting who does not know yet.
    await pause(this.#clock, this.#lingerMs);
    this.#stopListening();
    // They have sent nothing, and can connect elsewhere.
    for (const socket of this.#shaking.values()) socket.destroy();
    while (this.#lines.size + this.#sessions.size > 0 && !this.#isCut) {
      this.#closeSilent();
      this.#sessions.closeSilent();
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

  #shake(socket: Socket): void {
    const peer = peerOf(socket);
    if (this.#lines.has(socket) || this.#sessions.has(peer)) return;
    this.#shaking.set(peer, socket);
    socket.once('close', () => this.#shaking.delete(peer));
  }

  #line(socket: Socket): Line {
    const known = this.#lines.get(socket);
    if (known !== undefined) return known;
    const line: Line = {
      responses: new Set(),
      asked: undefined,
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
    if (this.#leaving !== undefined) askToLeave(line);
    response.once('close', () => {
      line.responses.delete(response);
      line.quietSinceMs = this.#clock.monotonicMs();
      line.bytesRead = socket.bytesRead;
    });
  }

  /** A listener of ours alone would make Node.js take each such request for handled. */
  #noteTaken(event: 'upgrade' | 'connect'): void {
    const emitter: NetServer = this.#server;
    const take = (_: unknown, socket: Socket) => {
      const line = this.#lines.get(socket);
      if (line !== undefined) line.isTaken = true;
    };
    const prepend = () => {
      emitter.prependListener(event, take);
      this.#offs.push(() => emitter.off(event, take));
    };
    if (emitter.listenerCount(event) > 0) {
      prepend();
      return;
    }
    const onListener = (added: string | symbol) => {
      if (added !== event) return;
      emitter.off('newListener', onListener);
      queueMicrotask(() => {
        if (!this.#isCut) prepend();
      });
    };
    emitter.on('newListener', onListener);
    this.#offs.push(() => emitter.off('newListener', onListener));
  }

  #on(event: string, listener: (given: Socket & ServerHttp2Session) => void): void {
    const emitter: NetServer = this.#server;
    emitter.on(event, listener);
    this.#offs.push(() => emitter.off(event, listener));
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

/** The last answer says that the connection ends: those before it are not the last for their caller. */
function askToLeave(line: Line): void {
  const last = [...line.responses].at(-1);
  const { asked } = line;
  if (last === undefined || last.headersSent || last === asked) return;
  if (asked?.headersSent === false) asked.setHeader('connection', 'keep-alive');
  last.setHeader('connection', 'close');
  line.asked = last;
}
