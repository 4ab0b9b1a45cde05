import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { text } from 'node:stream/consumers';
import { connect as connectPlain } from 'node:net';
import { systemClock } from '@rollcall/runtime';
import { ManualClock } from '@rollcall/runtime/testing';
import { TestAuthority } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import { TlsAcceptor, type TlsAcceptorOptions } from '../io/tls/tls-acceptor.ts';
import { TestBench } from '../testing/test-bench.ts';
import { TLS_OPTIONS } from '../testing/tls-under-test.ts';

const authority = new TestAuthority();
const certificate = authority.issue({ names: ['a.test'] });
const client = authority.issue({ subject: { CN: 'client' }, uris: ['spiffe://shop/client'] });

/** What a target receives from a client with these options. */
async function received(
  options: Partial<TlsAcceptorOptions>,
  own: ConnectionOptions,
  fields = '',
): Promise<string> {
  const acceptor = new TlsAcceptor(
    { fallback: { ...certificate, ca: authority.cert }, find: () => undefined },
    { ...TLS_OPTIONS, ...options },
    { clock: systemClock },
  );
  await using bench = await TestBench.start({ listener: { handshaker: acceptor } });
  let head = '';
  await bench.addTcp((socket) => {
    socket.once('data', (bytes: Buffer) => {
      head = bytes.toString('latin1');
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  const at = { port: bench.port, host: '127.0.0.1', ca: authority.cert, servername: 'a.test' };
  const socket = connect({ ...at, ...own });
  await once(socket, 'secureConnect');
  socket.write(`GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${fields}\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 204 /);
  return head;
}

test('a target learns that its client used TLS', async () => {
  const head = await received({}, {}, 'X-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n');
  expect(head.match(/^X-Forwarded-Proto.*$/gim)).toEqual(['X-Forwarded-Proto: https']);
  expect(head.match(/^X-Forwarded-Port: \d+$/gim)).toHaveLength(1);
  expect(head).not.toMatch(/client-cert/i);
});

test('and which verified certificate it has, if it has one', async () => {
  const forged = 'X-Forwarded-Client-Cert: Subject="CN=admin"\r\n';
  const required = await received({ clientCertificates: 'require' }, client, forged);
  expect(required.match(/^X-Forwarded-Client-Cert.*$/gim)).toEqual([
    expect.stringMatching(
      /^X-Forwarded-Client-Cert: Hash=[0-9a-f]{64};Subject="CN=client";URI=spiffe:\/\/shop\/client$/,
    ),
  ]);
  const none = await received({ clientCertificates: 'optional' }, {}, forged);
  expect(none).not.toMatch(/client-cert/i);
  const unasked = await received({ clientCertificates: 'none' }, client, forged);
  expect(unasked).not.toMatch(/client-cert/i);
});

test.each([
  ['its deadline', 60_000, 4_750],
  ['the grace', 3_000, 2_750],
])(
  'a client that begins a handshake and goes silent holds up the end until %s',
  async (...given) => {
    const [, graceMs, heldMs] = given;
    const clock = new ManualClock();
    const acceptor = new TlsAcceptor(
      { fallback: certificate, find: () => undefined },
      { ...TLS_OPTIONS, handshakeMs: 5_000 },
      { clock },
    );
    await using bench = await TestBench.start({
      runtime: clock,
      listener: { handshaker: acceptor },
    });
    const silent = connectPlain(bench.port, '127.0.0.1').on('error', () => {});
    silent.write(Buffer.from([22, 3, 1]));
    await expect.poll(() => acceptor.handshakesUnderWay, { timeout: 30_000 }).toBe(1);
    let isClosed = false;
    const closing = (async () => {
      await bench.server.close(graceMs);
      isClosed = true;
    })();
    clock.advance(heldMs);
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect([isClosed, acceptor.handshakesUnderWay]).toEqual([false, 1]);
    clock.advance(500);
    await closing;
    expect(acceptor.counters.faults.timeout).toBe(1);
    silent.destroy();
  },
);
