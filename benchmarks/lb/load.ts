import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HttpLoad, requestBytes } from '../support/http-load.ts';

/** Makes requests for `ms`; returns how many were answered. */
export type Load = (ms: number) => Promise<number>;

/** Requests of 1 KB over permanent connections. */
export async function keptLoad(port: number, connections: number, isTls = false) {
  const load = new HttpLoad({ port, connections, status: 200, isTls });
  await load.open();
  const request = requestBytes('GET', '/');
  return { run: (ms: number) => load.runFor(ms, () => request), close: () => load.close() };
}

const CLOSING = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

/** One request of 1 KB for each connection, which the server ends. */
export const freshLoad =
  (port: number, lines: number): Load =>
  (ms) =>
    repeat(lines, ms, () => answerOnce(connect({ port, host: '127.0.0.1', noDelay: true })));

/** One full TLS handshake and request for each connection. */
export const freshTlsLoad =
  (port: number, lines: number): Load =>
  (ms) =>
    repeat(lines, ms, () =>
      answerOnce(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })),
    );

/** Calls `once` in `lines` lines for `ms`; returns how often. */
async function repeat(lines: number, ms: number, once: () => Promise<void>): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  const line = async () => {
    while (performance.now() < endMs) {
      await once();
      count++;
    }
  };
  await Promise.all(Array.from({ length: lines }, line));
  return count;
}

function answerOnce(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    socket.on('error', reject);
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('end', () => socket.end());
    socket.on('close', () =>
      bytes > 1_024 ? resolve() : reject(new Error(`an answer of ${bytes} bytes`)),
    );
    socket.write(CLOSING);
  });
}

const BIG = Buffer.from('GET /mb HTTP/1.1\r\nHost: localhost\r\n\r\n');
const BIG_BYTES = 1_048_576;
const READ_BYTES = 262_144;

/** Requests of 1 MB over permanent connections. */
export function bigLoad(port: number, connections: number) {
  const sockets: Socket[] = [];
  const run: Load = async (ms) => {
    while (sockets.length < connections) sockets.push(openBig(port));
    const endMs = performance.now() + ms;
    let count = 0;
    const line = async (socket: Socket) => {
      while (performance.now() < endMs) {
        await askBig(socket);
        count++;
      }
    };
    await Promise.all(sockets.map(line));
    return count;
  };
  return { run, close: () => sockets.forEach((socket) => socket.destroy()) };
}

const waiting = new WeakMap<Socket, BigAnswer>();

/** Counts the bytes of one answer. */
interface BigAnswer {
  /** Undefined until the head is complete. */
  due: number | undefined;
  head: string;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

function openBig(port: number): Socket {
  const onread = {
    buffer: Buffer.alloc(READ_BYTES),
    callback: (bytes: number, buffer: Uint8Array) => {
      takeBig(waiting.get(socket), buffer as Buffer, bytes);
      return true;
    },
  };
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  socket.on('error', (error) => waiting.get(socket)?.fail(error));
  socket.on('close', () => waiting.get(socket)?.fail(new Error('the connection ended')));
  return socket;
}

function takeBig(answer: BigAnswer | undefined, buffer: Buffer, bytes: number): void {
  if (answer === undefined) return;
  let body = bytes;
  if (answer.due === undefined) {
    answer.head += buffer.toString('latin1', 0, Math.min(bytes, 4_096));
    const end = answer.head.indexOf('\r\n\r\n');
    if (end === -1) return;
    if (!answer.head.startsWith('HTTP/1.1 200')) answer.fail(new Error(answer.head.slice(0, 200)));
    answer.due = BIG_BYTES;
    body -= end + 4;
  }
  answer.due -= body;
  if (answer.due <= 0) answer.done();
}

async function askBig(socket: Socket): Promise<void> {
  await new Promise<void>((done, fail) => {
    waiting.set(socket, { due: undefined, head: '', done, fail });
    socket.write(BIG);
  });
  waiting.delete(socket);
}
