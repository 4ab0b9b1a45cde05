import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';

export interface LoadOptions {
  /** Number of clients. @default 8 */
  readonly clients?: number;
  readonly method?: 'GET' | 'POST';
  /** A connection for each request. @default false */
  readonly isAnew?: boolean;
  /** For an https url: whom to trust, and the name to ask for. */
  readonly tls?: { readonly ca: string; readonly servername: string };
}

/** Clients that send requests one after another without a pause, and the responses that they got. */
export class Load {
  readonly statuses = new Map<string, number>();
  /** The last response bodies, newest last. */
  readonly bodies: string[] = [];
  readonly #url: string;
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #over = new AbortController();
  readonly #clients: Promise<void>[];

  constructor(url: string, options: LoadOptions = {}) {
    const { clients = 8, isAnew = false, tls } = options;
    this.#url = url;
    this.#options = options;
    const keepAlive = !isAnew;
    this.#agent = tls === undefined ? new Agent({ keepAlive }) : new SecureAgent({ keepAlive });
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  get answered(): number {
    return this.statuses.get('200') ?? 0;
  }

  /** Number of responses other than 200, by status. */
  get others(): string {
    return [...this.statuses]
      .filter(([status]) => status !== '200')
      .map(([status, count]) => `${status} (${count})`)
      .join(', ');
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const status = await this.#ask().catch((error: NodeJS.ErrnoException) => String(error.code));
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    }
  }

  async #ask(): Promise<string> {
    const { method = 'GET', tls } = this.#options;
    const options = { agent: this.#agent, method };
    const outgoing =
      tls === undefined
        ? request(this.#url, options)
        : requestSecurely(this.#url, { ...options, ...tls });
    outgoing.end(method === 'POST' ? 'a body' : undefined);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await incoming.toArray()).toString();
    this.bodies.push(body);
    if (this.bodies.length > 64) this.bodies.shift();
    return incoming.statusCode === 200 ? '200' : `${incoming.statusCode} ${body.trim()}`;
  }
}

/** Clients of four kinds: GET and POST, over connections that stay and over new ones. */
export class MixedLoad {
  readonly #loads: readonly Load[];

  /** `clients`: of each kind. */
  constructor(url: string, clients = 3, more: Pick<LoadOptions, 'tls'> = {}) {
    this.#loads = (['GET', 'POST'] as const).flatMap((method) =>
      [false, true].map((isAnew) => new Load(url, { clients, method, isAnew, ...more })),
    );
  }

  get answered(): number {
    return this.#loads.reduce((sum, { answered }) => sum + answered, 0);
  }

  /** The fewest answers that one kind got. */
  get fewest(): number {
    return Math.min(...this.#loads.map(({ answered }) => answered));
  }

  get others(): string {
    return this.#loads.map(({ others }) => others).join('');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop()));
  }
}
