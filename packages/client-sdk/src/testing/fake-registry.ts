import { type Endpoint, type ProblemCode, PROBLEMS, STATE_TABLE } from '@rollcall/contract';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An endpoint as the registry would derive it; up by default. */
export function endpointAt(port: number, given: Partial<Endpoint> = {}): Endpoint {
  const instance = given.instance ?? `i-${port}`;
  const portName = given.portName ?? 'http';
  return {
    id: `${instance}/${portName}`,
    instance,
    address: '127.0.0.1',
    port,
    portName,
    protocol: 'TCP',
    containerPort: port,
    zone: '',
    weight: 100,
    labels: {},
    state: 'up',
    reason: '',
    ...STATE_TABLE[given.state ?? 'up'],
    ...given,
  };
}

/** One request as the registry received it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** An open stream that the test writes to. */
export class FakeStream {
  /** The name in its first bookmark. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly #response: ServerResponse;
  isOpen = true;

  constructor(id: string, query: URLSearchParams, response: ServerResponse) {
    this.id = id;
    this.query = query;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    response.on('close', () => (this.isOpen = false));
  }

  /** The namespace of the fake's roll; it has only one. */
  get namespace(): string {
    const asked = this.query.get('namespace') ?? 'default';
    return asked === '*' ? 'default' : asked;
  }

  send(event: string, data: unknown): void {
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}

/** Decides how a request is answered: with a problem, or normally. */
type Script = (seen: Seen) => ProblemCode | undefined;

/**
 * A registry that follows the protocol as far as the client can see, except where the test scripts another answer.
 * No store, no expiry, no rules.
 */
export class FakeRegistry {
  readonly seen: Seen[] = [];
  readonly watches: FakeStream[] = [];
  readonly holds: FakeStream[] = [];
  /** Endpoints by service: what new watches show. */
  readonly roll = new Map<string, Endpoint[]>();
  /** Live leases by `service/id`. */
  leases = new Map<string, { lease: string; nonce: string }>();
  readonly superseded = new Set<string>();
  script: Script = () => undefined;
  /** The field that scripted refusals name. */
  field = '';
  onHeaders: (headers: IncomingMessage['headers']) => void = () => {};
  /** Registrations are answered only after it resolves. */
  gate: Promise<void> = Promise.resolve();
  /** False: watches are opened but receive nothing. */
  speaks = true;
  /** False: its watches have no name, like those of an older server. */
  names = true;
  /** False: its watches cannot be extended, as behind a proxy that spreads requests over servers. */
  extends = true;
  /** False: requests are read but never answered. */
  answers = true;
  /** True: calls get a status line and then a space from time to time. */
  drips = false;
  epoch = 'epoch-1';
  revision = 1_000;
  #server: Server = createServer();
  #port = 0;
  #granted = 0;

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await registry.listen();
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after {@link kill}, on the same port again. */
  async listen(): Promise<void> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    // Rejects if another program has taken the port meanwhile.
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Closes every connection at once, as a killed process does. */
  async kill(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  count(method: string, path: RegExp): number {
    return this.seen.filter((seen) => seen.method === method && path.test(seen.path)).length;
  }

  openWatches(): FakeStream[] {
    return this.watches.filter(({ isOpen }) => isOpen);
  }

  openHolds(): FakeStream[] {
    return this.holds.filter(({ isOpen }) => isOpen);
  }

  /** Changes the roll and sends the change to every open watch. */
  change(service: string, upserts: Endpoint[], removes: string[] = []): void {
    const gone = new Set([...removes, ...upserts.map(({ id }) => id)]);
    const before = this.roll.get(service) ?? [];
    this.roll.set(service, [...before.filter(({ id }) => !gone.has(id)), ...upserts]);
    const revision = String(++this.revision);
    for (const watch of this.openWatches()) {
      const { namespace } = watch;
      watch.send('change', { namespace, service, revision, upserts, removes });
    }
  }

  bookmark(given: { moving?: boolean; storeAgeMs?: number; synced?: boolean } = {}): object {
    const { moving = false, storeAgeMs = 0, synced = true } = given;
    return { revision: String(this.revision), epoch: this.epoch, synced, storeAgeMs, moving };
  }

  snapshot(service: string, namespace = 'default'): object {
    const { epoch } = this;
    const endpoints = this.roll.get(service) ?? [];
    return { namespace, service, revision: String(this.revision), epoch, endpoints };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.seen.push(seen);
    this.onHeaders(request.headers);
    if (!this.answers) return;
    if (this.drips) {
      drip(response);
      return;
    }
    if (seen.method === 'PUT') await this.gate;
    const code = this.script(seen);
    if (code !== undefined) refuse(response, code, this.field);
    else if (seen.path === '/v1/watch') this.#watch(seen, response);
    else if (seen.path === '/v1/watch/acks') response.writeHead(204).end();
    else if (seen.path.startsWith('/v1/watch/')) this.#extend(seen, response);
    else if (seen.path === '/v1/leases/hold') this.#hold(seen, response);
    else if (seen.path === '/v1/leases/renew') this.#renew(seen, response);
    else if (seen.path.endsWith('/seen'))
      reply(response, 200, { seen: true, watchers: 0, servers: 0 });
    else if (seen.path.includes('/traffic/')) response.writeHead(204).end();
    else this.#instance(seen, response);
  }

  #watch(seen: Seen, response: ServerResponse): void {
    const id = String(this.watches.length).padStart(32, '0');
    const watch = new FakeStream(id, seen.query, response);
    this.watches.push(watch);
    if (!this.speaks) return;
    const named = seen.query.getAll('service');
    if (!seen.query.has('since'))
      for (const service of named.length > 0 ? named : this.roll.keys())
        watch.send('snapshot', this.snapshot(service, watch.namespace));
    watch.send('bookmark', { ...this.bookmark(), ...(this.names ? { stream: id } : {}) });
  }

  #extend(seen: Seen, response: ServerResponse): void {
    const watch = this.openWatches().find(({ id }) => seen.path === `/v1/watch/${id}`);
    if (watch === undefined || !this.extends) {
      refuse(response, 'watch_unknown');
      return;
    }
    response.writeHead(204).end();
    if (!this.speaks) return;
    const { services } = seen.body as { readonly services?: readonly string[] };
    const { namespace } = watch;
    watch.send('extended', { namespace, services });
    for (const service of services ?? this.roll.keys())
      watch.send('snapshot', this.snapshot(service, namespace));
    watch.send('bookmark', this.bookmark());
  }

  #hold(seen: Seen, response: ServerResponse): void {
    const hold = new FakeStream('', seen.query, response);
    this.holds.push(hold);
    hold.send('held', this.#sort(seen.query.getAll('lease')));
  }

  #renew(seen: Seen, response: ServerResponse): void {
    const { unknown, superseded } = this.#sort((seen.body as { leases: string[] }).leases);
    reply(response, 200, { unknown, superseded });
  }

  #sort(leases: readonly string[]): { held: string[]; unknown: string[]; superseded: string[] } {
    const live = new Set([...this.leases.values()].map(({ lease }) => lease));
    const superseded = leases.filter((lease) => this.superseded.has(lease));
    const others = leases.filter((lease) => !this.superseded.has(lease));
    return {
      held: others.filter((lease) => live.has(lease)),
      unknown: others.filter((lease) => !live.has(lease)),
      superseded,
    };
  }

  #instance(seen: Seen, response: ServerResponse): void {
    const [, , , , , service, , id] = seen.path.split('/');
    const key = `${service}/${id}`;
    const revision = String(++this.revision);
    const lease = seen.query.get('lease');
    if (lease !== null && this.superseded.has(lease)) refuse(response, 'lease_superseded');
    else if (seen.method === 'PUT') this.#register(key, seen, response);
    else if (lease !== null && this.leases.get(key)?.lease !== lease)
      refuse(response, 'lease_unknown');
    else {
      if (seen.method === 'DELETE') this.leases.delete(key);
      reply(response, 200, { revision });
    }
  }

  #register(key: string, seen: Seen, response: ServerResponse): void {
    const { nonce, ttlMs } = seen.body as { nonce: string; ttlMs: number };
    const known = this.leases.get(key);
    if (known !== undefined && known.nonce !== nonce && seen.query.get('takeover') !== 'true') {
      refuse(response, 'instance_taken');
      return;
    }
    const random = String(++this.#granted).padStart(32, '0');
    const lease = known?.nonce === nonce ? known.lease : `0.${ttlMs}.${random}`;
    this.leases.set(key, { lease, nonce });
    const heartbeatIntervalMs = Math.floor(ttlMs / 3);
    reply(response, 200, {
      lease: { id: lease, ttlMs, heartbeatIntervalMs },
      revision: String(this.revision),
    });
  }
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: ProblemCode, field = ''): void {
  const problem = { ...PROBLEMS[code], code, field, message: `scripted ${code}` };
  response
    .writeHead(problem.status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify(problem));
}
