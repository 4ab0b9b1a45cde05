import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { text } from 'node:stream/consumers';
import { systemClock } from '@rollcall/runtime';
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
  await using bench = await TestBench.start({ listener: { acceptor } });
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
