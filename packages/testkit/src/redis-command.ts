import { once } from 'node:events';
import { connect } from 'node:net';
import { firstChunk } from './first-chunk.ts';

/** Sends one command to a Redis on loopback and returns its first reply as text. Rejects when that is an error. */
export async function redisCommand(port: number, ...words: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(5_000, () => socket.destroy(new Error(`Redis at ${port} gave no answer`)));
  try {
    await once(socket, 'connect');
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
    const text = await firstChunk(socket);
    if (text.startsWith('-')) throw new Error(`${words.join(' ')}: ${text.trim()}`);
    return text;
  } finally {
    socket.destroy();
  }
}
