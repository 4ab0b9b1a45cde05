import { connect, type TLSSocket } from 'node:tls';

/** Answered exchanges within `ms`. */
export type Exchanges = (port: number, connections: number, ms: number) => Promise<number>;

const REQUEST = Buffer.from('GET /some/path HTTP/1.1\r\nHost: bench.test\r\nAccept: */*\r\n\r\n');
const BODY = 'a'.repeat(1_024);
export const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
);
/** The end of an answer, whatever a proxy did to its head. */
const LAST = 'a'.charCodeAt(0);

/** Over permanent connections. */
export async function exchangesKept(
  port: number,
  connections: number,
  ms: number,
): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  const line = () =>
    new Promise<void>((resolve, reject) => {
      const socket = open(port, reject);
      onAnswers(socket, () => {
        count++;
        if (performance.now() < endMs) socket.write(REQUEST);
        else socket.destroy();
      });
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: connections }, line));
  return count;
}

/** One exchange per connection, none of which resumes a session. */
export async function exchangesNew(port: number, connections: number, ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  const once = () =>
    new Promise<void>((resolve, reject) => {
      const socket = open(port, reject);
      onAnswers(socket, () => socket.end());
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

/** An answer is one head, whose length differs from proxy to proxy, and a body of one known length. */
function onAnswers(socket: TLSSocket, onAnswer: () => void): void {
  let received = 0;
  let due = 0;
  socket.on('data', (chunk: Buffer) => {
    if (received === 0) due = chunk.indexOf('\r\n\r\n') + 4 + BODY.length;
    received += chunk.length;
    if (received < due) return;
    if (chunk.at(-1) !== LAST) throw new Error('not the answer of the target');
    received = 0;
    onAnswer();
  });
}

function open(port: number, reject: (error: Error) => void): TLSSocket {
  const options = { rejectUnauthorized: false, servername: 'bench.test' };
  const socket = connect({ port, host: '127.0.0.1', ...options });
  socket.on('error', reject);
  socket.setNoDelay(true);
  socket.on('secureConnect', () => socket.write(REQUEST));
  return socket;
}
