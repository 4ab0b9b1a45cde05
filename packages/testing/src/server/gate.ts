import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';
import type { Activity } from '../clock/activity.ts';
import { endAtOnce, listenOnLoopback } from './listening.ts';

/** Which requests a registry refuses, and how. */
export interface Refusal {
  readonly code: ProblemCode;
  /** Only requests with this method. @default any */
  readonly method?: string;
  /** Only requests whose path, with its query, matches. @default any */
  readonly path?: RegExp;
}

export interface GateParts {
  /** The server behind it, at the moment. */
  readonly target: () => URL;
  readonly clock: Pick<Clock, 'after'>;
  readonly activity: Activity;
}

/** Headers that are about one connection, not about what is sent through it. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
]);

/** The way to a server: forwards every request, unless it is closed, slowed down or refuses. */
export class Gate {
  readonly #parts: GateParts;
  readonly #agent = new Agent({ keepAlive: true });
  #server: Server;
  #port = 0;
  #delayMs = 0;
  #refusals: Refusal[] = [];
  readonly #streamed = Promise.withResolvers<void>();

  private constructor(parts: GateParts) {
    this.#parts = parts;
    this.#server = this.#createServer();
  }

  static async start(parts: GateParts): Promise<Gate> {
    const gate = new Gate(parts);
    await gate.open();
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves once the first event stream has been opened through it. */
  get streamed(): Promise<void> {
    return this.#streamed.promise;
  }

  get isOpen(): boolean {
    return this.#server.listening;
  }

  /** Takes connections, always on the same port. */
  async open(): Promise<void> {
    if (this.isOpen) return;
    this.#server = this.#createServer();
    this.#port = await listenOnLoopback(this.#server, this.#port, this.#port !== 0);
  }

  /** Refuses connections and cuts the open ones, on both sides. */
  async close(): Promise<void> {
    await endAtOnce(this.#server);
    this.#agent.destroy();
  }

  /** Every request waits this long before it is forwarded, in ms of the clock. */
  slow(ms: number): void {
    this.#delayMs = ms;
  }

  /** Refuses the next requests that match. */
  refuse(times: number, refusal: Refusal): void {
    for (let i = 0; i < times; i++) this.#refusals.push(refusal);
  }

  /** Forwards everything at once again. */
  heal(): void {
    this.#delayMs = 0;
    this.#refusals = [];
  }

  #createServer(): Server {
    const server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));
    server.on('connection', () => this.#parts.activity.note());
    return server;
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#parts.activity.note();
    const refusal = this.#refusalOf(incoming);
    if (refusal !== undefined) refuse(incoming, outgoing, refusal.code);
    else if (this.#delayMs === 0) this.#forward(incoming, outgoing);
    else
      this.#parts.clock.after(this.#delayMs, () => {
        if (!outgoing.destroyed) this.#forward(incoming, outgoing);
      });
  }

  #refusalOf({ method, url = '/' }: IncomingMessage): Refusal | undefined {
    const at = this.#refusals.findIndex(
      (one) =>
        (one.method ?? method) === method &&
        (one.path === undefined || url.search(one.path) !== -1),
    );
    return at === -1 ? undefined : this.#refusals.splice(at, 1)[0];
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { activity, target } = this.#parts;
    const answered = activity.owe();
    const { hostname: host, port } = target();
    const { method, url: path, headers } = incoming;
    const to = {
      host,
      port,
      path,
      method,
      headers: withoutConnection(headers),
      agent: this.#agent,
    };
    const onward = request(to, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, withoutConnection(reply.headers));
      if (isStream(reply)) {
        outgoing.flushHeaders();
        answered();
        this.#streamed.resolve();
      }
      reply.on('data', () => activity.note());
      reply.on('error', () => outgoing.destroy());
      reply.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      answered();
      onward.destroy();
    });
    incoming.on('data', () => activity.note());
    incoming.pipe(onward);
  }
}

/** A stream stays open; everything else is answered. */
function isStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false;
}

function withoutConnection(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name)));
}

/** As the registry itself would. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, code: ProblemCode): void {
  const problem = new ProblemError(code, `refused by the test: ${code}`);
  const after = problem.retryable ? { 'retry-after': '1' } : {};
  incoming.resume();
  outgoing.writeHead(problem.status, { 'content-type': PROBLEM_MEDIA_TYPE, ...after });
  outgoing.end(JSON.stringify(problem.toProblem()));
}
