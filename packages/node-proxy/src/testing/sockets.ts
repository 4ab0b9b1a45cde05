import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** An instance that sends its name to each client, and then echoes. Ends with the test. */
export async function startInstance(name: string) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(stop);
  return { name, port: (server.address() as AddressInfo).port, stop, sockets };
}

export interface Place {
  readonly host: string;
  readonly port: number;
  /** The address of the client. */
  readonly localAddress?: string;
}

/** The name of the instance that answers there, or the error code. Closes the connection again. */
export async function whoAnswers(place: Place): Promise<string> {
  const client = connectTo(place);
  const name = await client.name;
  client.socket.destroy();
  return name;
}

/** A connection that stays open. */
export function connectTo(place: Place): { socket: Socket; name: Promise<string> } {
  const socket = connect({ ...place, noDelay: true });
  const name = new Promise<string>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\n')[0]!));
    socket.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => resolve(code));
    socket.on('close', () => resolve('closed'));
  });
  return { socket, name };
}

/** A UDP instance that answers with its name. */
export async function startUdpInstance(name: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) =>
    socket.send(`${name} ${bytes.toString()}`, port, address),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

/** Sends a datagram until an answer comes, since datagrams may be lost. */
export async function askUdp({ host, port }: Place, text: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    const answer = once(socket, 'message') as Promise<[Buffer]>;
    const again = setInterval(() => socket.send(text, port, host), 200);
    socket.send(text, port, host);
    const [bytes] = await answer.finally(() => clearInterval(again));
    return bytes.toString();
  } finally {
    socket.close();
  }
}
