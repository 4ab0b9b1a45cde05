import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { systemClock } from '@rollcall/runtime';
import { TestAuthority } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { TLS_OPTIONS } from '../testing/tls-under-test.ts';
import { handleBindings } from './handle-bindings.ts';
import { HandleTransport } from './handle-transport.ts';
import { NetTransport } from './net-transport.ts';
import { TlsAcceptor } from './tls/tls-acceptor.ts';
import type { Connection } from './transport.ts';

const WAIT = { timeout: 30_000 };
const authority = new TestAuthority();
const certificate = authority.issue({ names: ['a.test'] });

async function echoed(socket: Socket, word: string): Promise<void> {
  socket.write(word);
  expect(String((await once(socket, 'data'))[0])).toBe(word);
}

test.each([
  ['net', () => new NetTransport()],
  ['handle', () => new HandleTransport(handleBindings()!)],
])('%s: a socket that listens begins to ask for handshakes, and ceases to', async (_, create) => {
  const accepted: Connection[] = [];
  const accept = (connection: Connection) => {
    accepted.push(connection);
    return {
      onData: (bytes: Buffer, from: number, to: number) => void connection.write(bytes, from, to),
      onDrain() {},
      onEnd: () => connection.close(),
      onClose() {},
    };
  };
  const listener = await create().listen({ host: '127.0.0.1', port: 0 }, accept);
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await listener.close();
  });
  const kept = <T extends Socket>(socket: T): T => (sockets.push(socket), socket);
  const plain = () => kept(connectPlain(listener.address.port, '127.0.0.1'));
  const secured = (socket: Socket) =>
    kept(connect({ socket, ca: authority.cert, servername: 'a.test' }));
  const acceptor = new TlsAcceptor({ fallback: certificate, find: () => undefined }, TLS_OPTIONS, {
    clock: systemClock,
  });
  const first = plain();
  await echoed(first, 'plain');
  listener.secure(acceptor);
  const second = secured(plain());
  await echoed(second, 'tls');
  expect(accepted.map(({ tls }) => tls?.serverName)).toEqual([undefined, 'a.test']);
  await echoed(first, 'still plain');
  const begun = plain();
  await expect.poll(() => listener.handshakes, WAIT).toBe(1);
  listener.secure(undefined);
  const third = plain();
  await echoed(third, 'plain again');
  await echoed(second, 'still tls');
  await echoed(secured(begun), 'begun');
  expect(listener.handshakes).toBe(0);
  listener.secure(acceptor);
  listener.secure(acceptor);
  await echoed(secured(plain()), 'tls again');
  expect(acceptor.counters.full).toBe(3);
  for (const socket of [first, second, third]) socket.destroy();
});
