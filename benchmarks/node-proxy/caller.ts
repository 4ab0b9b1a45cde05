import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** An instance that sends its name to every client. */
export interface Backend {
  readonly port: number;
  close(): void;
}

export async function startBackend(name: string): Promise<Backend> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(name);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** The name of the instance that answers there, or the error code. */
export function whoAnswers(place: Place): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => resolve(code));
    socket.on('close', () => resolve('closed'));
  });
}

/** Connects repeatedly until this is the answer; returns when, on the clock of `performance`. */
export async function untilAnswer(place: Place, answer: string): Promise<number> {
  while ((await whoAnswers(place)) !== answer);
  return performance.now();
}
