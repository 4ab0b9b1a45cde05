import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Direction of bytes: `up` = from the client to the server. */
type Direction = 'up' | 'down';

export interface Weather {
  /** Delay of each chunk, in ms, one way. @default 0 */
  readonly delayMs?: number;
  /** Bytes per second and connection, one way; 0 = no limit. @default 0 */
  readonly bytesPerSecond?: number;
  /** Bytes in these directions are discarded, as by a router that died: no FIN, no RST, no answer. @default none */
  readonly lost?: readonly Direction[];
  /** New connections: forwarded, refused by a reset, or accepted without any data. @default 'taken' */
  readonly connects?: 'taken' | 'reset' | 'silent';
}

const FAIR: Required<Weather> = { delayMs: 0, bytesPerSecond: 0, lost: [], connects: 'taken' };
/** Interval at which a throttled direction may send, in ms. */
const SLICE_MS = 20;
/** Most bytes in transit per direction; beyond it the sender must wait. */
const MOST_BYTES = 262_144;

/**
 * A TCP proxy on loopback that disturbs connections as networks do. The weather applies
 * to existing and new connections.
 */
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

  /** Starts a proxy in front of a server on loopback. */
  static async start(targetPort: number, host = '127.0.0.1'): Promise<ChaosProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new ChaosProxy(server, { port: targetPort, host });
    server.on('connection', (client) => proxy.#accept(client));
    return proxy;
  }

  /** Number of connections through it now. */
  get size(): number {
    return this.#pairs.size;
  }

  /** New connections go to another server from now on. */
  point(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Changes the weather; omitted settings are reset to fair. Discarded bytes stay lost. */
  set(weather: Weather): void {
    this.#weather = { ...FAIR, ...weather };
    if (this.#weather.lost.length === 0) for (const pair of this.#pairs) pair.wake();
  }

  /** Sets fair weather. Connections that lost bytes are broken, so they are reset. */
  heal(): void {
    this.set({});
    for (const pair of this.#pairs) if (pair.hasLost) pair.reset();
  }

  /** Ends every connection, by RST or gracefully by FIN. */
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
    // Keeps the order whatever the delays: each chunk waits for the one before.
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
    // While bytes are discarded, one side does not learn that the other side is gone.
    if (this.hasLost) return;
    const rest = this.#client.destroyed ? this.#server : this.#client;
    if (rest.writableEnded) return;
    rest.destroy();
  }
}

function slept(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
