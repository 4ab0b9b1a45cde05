import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '@rollcall/runtime';
import { TestAuthority } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { TLS_OPTIONS } from '../../testing/tls-under-test.ts';
import { NetTransport } from '../net-transport.ts';
import type { Connection } from '../transport.ts';
import { TlsAcceptor } from './tls-acceptor.ts';
import { tlsBindings } from './tls-bindings.ts';
import { TlsHandleConnection } from './tls-handle-connection.ts';

const WAIT = { timeout: 30_000 };
const authority = new TestAuthority();
const certificate = authority.issue({ names: ['a.test'] });

/** One connection, at its server; `writes` has the length of each write to what encrypts it. */
async function start() {
  const io = tlsBindings()!;
  const writes: number[] = [];
  const handlesOf: typeof io.handlesOf = (socket) => {
    const handles = io.handlesOf(socket);
    const { tls } = handles;
    const write = tls.writeBuffer.bind(tls);
    tls.writeBuffer = (request, bytes) => {
      writes.push(bytes.length);
      return write(request, bytes);
    };
    return handles;
  };
  const acceptor = new TlsAcceptor({ fallback: certificate, find: () => undefined }, TLS_OPTIONS, {
    clock: systemClock,
    create: (socket, raw, session) =>
      new TlsHandleConnection({ ...io, handlesOf }, socket, raw, session),
  });
  const accepted: Connection[] = [];
  let drains = 0;
  const accept = (connection: Connection) => {
    accepted.push(connection);
    return {
      onData() {},
      onDrain: () => void drains++,
      onEnd: () => connection.close(),
      onClose() {},
    };
  };
  const at = { host: '127.0.0.1', port: 0 };
  const listener = await new NetTransport().listen(at, accept, { handshaker: acceptor });
  const { port } = listener.address;
  const client: TLSSocket = connect({ port, ca: authority.cert, servername: 'a.test' });
  onTestFinished(async () => {
    client.destroy();
    await listener.close();
  });
  await once(client, 'secureConnect');
  await expect.poll(() => accepted.length, WAIT).toBe(1);
  return { connection: accepted[0]!, client, writes, drains: () => drains };
}

test('writes that wait for one go out together, in order, and drain once', async () => {
  const { connection, client, writes, drains } = await start();
  const words = Array.from({ length: 20 }, (_, i) => Buffer.from(`word ${i};`));
  const received = buffer(client);
  for (const word of words) connection.write(word, 0, word.length);
  await expect.poll(drains, WAIT).toBe(1);
  connection.shutdown();
  expect(String(await received)).toBe(words.join(''));
  expect(writes).toEqual([7, words.join('').length - 7]);
});

test('large ones too, and the end after them', async () => {
  const { connection, client, writes } = await start();
  const pieces = Array.from({ length: 6 }, (_, i) => Buffer.alloc(300_000 + i, i));
  const received = buffer(client);
  for (const piece of pieces) connection.write(piece, 0, piece.length);
  connection.shutdown();
  expect((await received).equals(Buffer.concat(pieces))).toBe(true);
  expect(writes).toHaveLength(2);
});
