import { once } from 'node:events';
import { connect } from 'node:net';
import { firstChunk } from './first-chunk.ts';
import { until } from './until.ts';

/** Resolves once the server answers `PING` (a loading server answers `-LOADING`). */
export async function waitForRedis(url: URL, withinMs: number): Promise<void> {
  await until(() => answersPing(url), { withinMs, everyMs: 20, what: `a Redis at ${url.host}` });
}

async function answersPing(url: URL): Promise<boolean> {
  const socket = connect(Number(url.port || 6379), url.hostname);
  socket.setTimeout(1_000, () => socket.destroy(new Error('timeout')));
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const text = await firstChunk(socket);
    return text.startsWith('+PONG') || text.startsWith('-NOAUTH');
  } finally {
    socket.destroy();
  }
}
