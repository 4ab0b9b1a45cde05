import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** Clients that send requests one after another without a pause, and the responses that they got. */
export class Load {
  readonly statuses = new Map<string, number>();
  /** The last response bodies, newest last. */
  readonly bodies: string[] = [];
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #over = new AbortController();
  readonly #clients: Promise<void>[];

  constructor(url: string, clients = 8) {
    this.#url = url;
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
      const status = await this.#get().catch((error: NodeJS.ErrnoException) => String(error.code));
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    }
  }

  async #get(): Promise<string> {
    const outgoing = request(this.#url, { agent: this.#agent }).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await incoming.toArray()).toString();
    this.bodies.push(body);
    if (this.bodies.length > 64) this.bodies.shift();
    return incoming.statusCode === 200 ? '200' : `${incoming.statusCode} ${body.trim()}`;
  }
}
