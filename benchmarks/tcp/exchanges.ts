import { connect, type Socket } from 'node:net';

const REQUEST = Buffer.alloc(64, 'q');
export const ANSWER_BYTES = 1_024;

/** Exchanges over permanent connections; returns how many were answered within the time. */
export async function exchangesKept(
  port: number,
  connections: number,
  ms: number,
): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  const line = () =>
    new Promise<void>((resolve, reject) => {
      let due = ANSWER_BYTES;
      const socket = open(port, reject);
      socket.on('data', (chunk) => {
        due -= chunk.length;
        if (due > 0) return;
        count++;
        due = ANSWER_BYTES;
        if (performance.now() < endMs) socket.write(REQUEST);
        else socket.destroy();
      });
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: connections }, line));
  return count;
}

/** One exchange per connection; the client closes it. */
export async function exchangesNew(port: number, connections: number, ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  const once = () =>
    new Promise<void>((resolve, reject) => {
      let due = ANSWER_BYTES;
      const socket = open(port, reject);
      socket.on('data', (chunk) => {
        due -= chunk.length;
        if (due === 0) socket.end();
      });
      socket.on('close', () => {
        count++;
        resolve();
      });
    });
  const line = async () => {
    while (performance.now() < endMs) await once();
  };
  await Promise.all(Array.from({ length: connections }, line));
  return count;
}

function open(port: number, reject: (error: Error) => void): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', reject);
  socket.on('connect', () => socket.write(REQUEST));
  return socket;
}
