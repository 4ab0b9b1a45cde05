import type { Socket } from 'node:net';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';

/** How long the server keeps reading from a refused client that still sends, so that it can read why, in ms. */
const LINGER_MS = 5_000;

const ERRORS: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'expected a request head of at most 16 kB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'expected the whole request within 15 s'],
};

/** Answers input that is not an HTTP request on the bare socket, and ends the connection. */
export function clientErrorHandler(clock: Clock) {
  const answered = new WeakSet<Socket>();
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    // Further input is not a request either.
    if (answered.has(socket)) return;
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
      socket.destroy(error);
      return;
    }
    answered.add(socket);
    const fallback = ['invalid_request', 'expected an HTTP/1.1 request'] as const;
    const [code, message] = ERRORS[error.code ?? ''] ?? fallback;
    const problem = new ProblemError(code, message);
    const body = JSON.stringify(problem.toProblem());
    socket.on('error', () => {});
    socket.end(
      `HTTP/1.1 ${problem.status} ${code}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    // Closing with unread bytes would reset the connection, and the answer would be lost.
    socket.resume();
    const timer = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  };
}
