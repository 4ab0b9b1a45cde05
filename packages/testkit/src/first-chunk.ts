import type { Socket } from 'node:net';

/** The first bytes that arrive. Rejects when the connection ends without any, as when a primary becomes a replica. */
export async function firstChunk(socket: Socket): Promise<string> {
  for await (const chunk of socket) return String(chunk);
  throw new Error('the connection was closed without an answer');
}
