import { createServer, type RequestListener, type Server } from 'node:http';
import type { Clock } from '@rollcall/runtime';
import type { Activity } from '../clock/activity.ts';
import { endAtOnce, listenOnLoopback } from '../server/listening.ts';
import { ReceivedRequest } from './received-request.ts';

/** How requests are answered. */
export type Behaviour =
  | { readonly kind: 'answers' }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'fails'; readonly statusCode: number };

export interface InstanceServerParts {
  readonly handler: RequestListener;
  readonly clock: Pick<Clock, 'after'>;
  readonly activity: Activity;
}

/** The HTTP server of an instance. */
export class InstanceServer {
  /** In the order in which their heads arrived. */
  readonly requests: ReceivedRequest[] = [];
  behaviour: Behaviour = { kind: 'answers' };
  readonly #parts: InstanceServerParts;
  #server: Server | undefined;
  #port: number;
  #hasListened = false;

  /** `port`: 0 = any free one. */
  constructor(port: number, parts: InstanceServerParts) {
    this.#port = port;
    this.#parts = parts;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens; after an end, on the same port again. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => {
      this.requests.push(new ReceivedRequest(request));
      this.#answer(request, response);
    });
    this.#server = server;
    server.on('connection', (socket) => {
      this.#parts.activity.note();
      socket.on('data', () => this.#parts.activity.note());
    });
    this.#port = await listenOnLoopback(server, this.#port, this.#hasListened);
    this.#hasListened = true;
  }

  /** Refuses connections from now on, and cuts the open ones. */
  async end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await endAtOnce(server);
  }

  #answer(...[request, response]: Parameters<RequestListener>): void {
    const { behaviour } = this;
    if (behaviour.kind === 'answers') this.#parts.handler(request, response);
    else if (behaviour.kind === 'hangs') request.resume();
    else if (behaviour.kind === 'fails') {
      request.resume();
      response.writeHead(behaviour.statusCode).end();
    } else
      this.#parts.clock.after(behaviour.ms, () => {
        if (!response.destroyed) this.#parts.handler(request, response);
      });
  }
}
