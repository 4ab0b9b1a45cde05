import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestCertificate } from '@rollcall/testkit';
import { onTestFinished } from 'vitest';

/** The first byte of a TLS handshake. */
const HANDSHAKE = 22;

/** A target that speaks HTTP and HTTPS at one port. It ends with the test. Returns its port. */
export async function startDualTarget(
  certificate: TestCertificate,
  answer: RequestListener,
): Promise<number> {
  const plain = createHttpServer(answer);
  const secure = createHttpsServer(certificate, answer);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    socket.once('data', (bytes) => {
      socket.pause();
      socket.unshift(bytes);
      (bytes[0] === HANDSHAKE ? secure : plain).emit('connection', socket);
      if (bytes[0] !== HANDSHAKE) socket.resume();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
