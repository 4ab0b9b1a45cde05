import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The way that bytes go: `up` = from the client to the server. */
type Direction = 'up' | 'down';

export interface Weather {
  /** How long each piece of bytes is held back, in ms, one way. @default 0 */
  readonly delayMs?: number;
  /** Bytes a second and connection, one way; 0 = no limit. @default 0 */
  readonly bytesPerSecond?: number;
  /** Bytes that go these ways are swallowed, as by a router that died: no FIN, no RST, no answer. @default none */
  readonly lost?: readonly Direction[];
  /** New connections: taken, refused by a reset, or accepted and left without a word. @default 'taken' */
  readonly connects?: 'taken' | 'reset' | 'silent';
}

const FAIR: Required<Weather> = { delayMs: 0, bytesPerSecond: 0, lost: [], connects: 'taken' };
/** How often a throttled direction gets its share, in ms. */
const SLICE_MS = 20;
/** Bytes on their way in one direction; with more the sender has to wait. */
const MOST_BYTES = 262_144;

/** A TCP proxy on loopback that does to connections what networks do. The weather holds for old and new ones alike. */
export class ChaosProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #sockets = new Set<Socket>();
  readonly #host: string;
  #targetPort: number;
  #weather = FAIR;

  private constructor(server: Server, target: { readonly port: number; readonly host: string }) {
    this.#server = server;
    this.#targetPort = target.port;
    this.#host = target.host;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Starts one in front of a server on loopback. */
  static async start(targetPort: number, host = '127.0.0.1'): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new ChaosProxy(server, { port: targetPort, host });
    server.on('connection', (client) => proxy.#accept(client));
    return proxy;
  }

  /** Connections through it now. */
  get size(): number {
    return this.#pairs.size;
  }

  /** New connections go to another server from now on. */
  point(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Changes the weather; what is not named is fair. What was lost stays lost. */
  set(weather: Weather): void {
    this.#weather = { ...FAIR, ...weather };
    if (this.#weather.lost.length === 0) for (const pair of this.#pairs) pair.wake();
  }

  /** Fair weather. Connections that lost bytes are broken and are reset. */
  heal(): void {
    this.set({});
    for (const pair of this.#pairs) if (pair.hasLost) pair.reset();
  }

  /** Ends every connection, by RST or politely by FIN. */
  cut(how: 'reset' | 'end' = 'reset'): void {
    for (const pair of this.#pairs) {
      if (how === 'reset') pair.reset();
      else pair.end();
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const pair of this.#pairs) pair.reset();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.#sockets.add(client);
    client.once('close', () => this.#sockets.delete(client));
    client.on('error', () => {});
    const { connects } = this.#weather;
    if (connects === 'reset') client.resetAndDestroy();
    if (connects !== 'taken') return;
    const server = connect({ port: this.#targetPort, host: this.#host, allowHalfOpen: true });
    const pair = new Pair(client, server, () => this.#weather);
    this.#pairs.add(pair);
    server.once('connect', () => client.resume());
    pair.onClosed = () => this.#pairs.delete(pair);
  }
}

/** One connection through the proxy. */
class Pair {
  hasLost = false;
  onClosed: () => void = () => {};
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #weather: () => Required<Weather>;

  constructor(client: Socket, server: Socket, weather: () => Required<Weather>) {
    this.#client = client;
    this.#server = server;
    this.#weather = weather;
    this.#carry(client, server, 'up');
    this.#carry(server, client, 'down');
    server.on('error', () => client.resetAndDestroy());
    client.on('error', () => server.resetAndDestroy());
    for (const socket of [client, server]) socket.once('close', () => this.#closed());
  }

  wake(): void {
    this.#client.resume();
    this.#server.resume();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  end(): void {
    this.#client.end();
    this.#server.end();
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    // In order whatever the delays: each piece waits for the one before.
    let last = Promise.resolve();
    let bytesUnderWay = 0;
    const later = (bytes: number, act: () => void) => {
      const { delayMs, bytesPerSecond } = this.#weather();
      const dueMs = performance.now() + delayMs;
      const paceMs =
        bytesPerSecond === 0 ? 0 : Math.max(SLICE_MS, (bytes / bytesPerSecond) * 1_000);
      if (delayMs === 0 && paceMs === 0) {
        last = last.then(act);
        return;
      }
      last = (async (before) => {
        await before;
        await slept(Math.max(0, dueMs - performance.now(), paceMs));
        act();
      })(last);
    };
    from.on('data', (chunk: Buffer) => {
      if (this.#loses(direction)) return;
      bytesUnderWay += chunk.length;
      if (bytesUnderWay > MOST_BYTES) from.pause();
      later(chunk.length, () => {
        bytesUnderWay -= chunk.length;
        if (this.#loses(direction) || to.destroyed) return;
        if (to.write(chunk)) {
          if (bytesUnderWay <= MOST_BYTES) from.resume();
        } else {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
    });
    from.on('end', () => {
      if (!this.#loses(direction)) later(0, () => to.end());
    });
  }

  #loses(direction: Direction): boolean {
    const isLost = this.#weather().lost.includes(direction);
    this.hasLost ||= isLost;
    return isLost;
  }

  #closed(): void {
    if (this.#client.destroyed && this.#server.destroyed) {
      this.onClosed();
      return;
    }
    // A half that lost its other one while bytes are swallowed learns nothing of it.
    if (this.hasLost) return;
    const rest = this.#client.destroyed ? this.#server : this.#client;
    if (rest.writableEnded) return;
    rest.destroy();
  }
}

function slept(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
