import { type Socket, connect } from 'node:net';
import { quantile } from '../support/statistics.ts';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
/** Of the answer: less would be a part of it. */
const BODY_BYTES = 1_024;
const STEP_MS = 2;

/** Quantiles of the time from when a request was due until its answer was complete, in ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Latency at a fixed rate: requests are due at fixed times, whatever the answers do, and wait for a connection if there
 * is none.
 */
export async function latencyAt(port: number, perSecond: number, ms: number): Promise<Latency> {
  const free: Line[] = [];
  const dueMs: number[] = [];
  const tookMs: number[] = [];
  const give = () => {
    while (free.length > 0 && dueMs.length > 0) free.pop()!.ask(dueMs.shift()!);
  };
  const lines = await Promise.all(
    Array.from({ length: 64 }, () =>
      Line.open(port, (line, took) => {
        if (took !== undefined) tookMs.push(took);
        free.push(line);
        give();
      }),
    ),
  );
  const startMs = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      for (; sent < ((nowMs - startMs) / 1e3) * perSecond; sent++)
        dueMs.push(startMs + (sent / perSecond) * 1e3);
      give();
      if (nowMs - startMs < ms) return;
      clearInterval(timer);
      resolve();
    }, STEP_MS);
  });
  for (const line of lines) line.close();
  return { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) };
}

class Line {
  readonly #socket: Socket;
  readonly #onFree: (line: Line, tookMs?: number) => void;
  #dueMs = 0;
  #bytes = 0;

  private constructor(socket: Socket, onFree: (line: Line, tookMs?: number) => void) {
    this.#socket = socket;
    this.#onFree = onFree;
    socket.on('data', (chunk) => {
      this.#bytes += chunk.length;
      if (this.#bytes > BODY_BYTES) this.#onFree(this, performance.now() - this.#dueMs);
    });
  }

  static open(port: number, onFree: (line: Line, tookMs?: number) => void): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
        const line = new Line(socket, onFree);
        onFree(line);
        resolve(line);
      });
      socket.on('error', reject);
    });
  }

  ask(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#bytes = 0;
    this.#socket.write(REQUEST);
  }

  close(): void {
    this.#socket.destroy();
  }
}
