import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Clock } from '@rollcall/runtime';

interface Session {
  /** Streams under way. */
  streams: number;
  /** When the last one ended. Monotonic, in ms. */
  quietSinceMs: number;
}

/** The sessions of a server of HTTP/2. */
export class ServedSessions {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #lingerMs: number;
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  /** The other ends of their connections. */
  readonly #peers = new Set<string>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, lingerMs: number) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Whether the connection of this other end has a session. */
  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  add(peer: string, session: ServerHttp2Session): void {
    const known = { streams: 0, quietSinceMs: this.#clock.monotonicMs() };
    this.#peers.add(peer);
    this.#sessions.set(session, known);
    session.on('stream', (stream: ServerHttp2Stream) => {
      known.streams++;
      stream.once('close', () => {
        known.streams--;
        known.quietSinceMs = this.#clock.monotonicMs();
      });
    });
    session.once('close', () => {
      this.#peers.delete(peer);
      this.#sessions.delete(session);
    });
  }

  /**
   * Tells those on which nothing has been under way for a while to end (GOAWAY). Not earlier: clients of Node.js lose
   * answers that are still arriving when they are told.
   */
  closeSilent(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [session, { streams, quietSinceMs }] of this.#sessions)
      if (streams === 0 && nowMs - quietSinceMs >= this.#lingerMs && !session.closed)
        session.close();
  }

  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }
}
