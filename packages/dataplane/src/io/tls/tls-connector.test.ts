import { once } from 'node:events';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { createSecureContext, createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { TestAuthority } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createUnderTest } from '../../testing/tls-under-test.ts';
import type { Address, Connector } from '../transport.ts';
import { TlsConnector } from './tls-connector.ts';

const WAIT = { timeout: 30_000 };
const authority = new TestAuthority();
const orders = authority.issue({ names: ['orders.test', 'short'] });

async function serve(options: TlsOptions = {}) {
  const sockets: TLSSocket[] = [];
  const reused: boolean[] = [];
  const server = createServer({ ...orders, ...options }, (socket) => {
    sockets.push(socket);
    reused.push(socket.isSessionReused());
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { sockets, reused, address: { host: '127.0.0.1', port } };
}

/** Connects, sends a greeting, and says what came back or why nothing did. */
function greet(through: Connector, address: Address): Promise<string> {
  return new Promise((resolve) => {
    const connection = through.connect(address, {
      onConnect: () => void connection.write(Buffer.from('hello'), 0, 5),
      onData(buffer, start, end) {
        resolve(buffer.toString('latin1', start, end));
        connection.close();
      },
      onDrain() {},
      onEnd() {},
      onClose: (error) => resolve(`closed: ${error?.code}`),
    });
  });
}

function connector(
  names: readonly [string, ...string[]] = ['orders.test'],
  { isVerified = true, ca = authority.cert, ...own }: Record<string, unknown> = {},
): TlsConnector {
  const context = createSecureContext({ ca: ca as string, ...own });
  return new TlsConnector({
    context,
    names,
    isVerified: isVerified as boolean,
    protocols: ['http/1.1'],
    create: createUnderTest(),
  });
}

test('the certificate must be for one of the names, whatever the address', async () => {
  const { address, sockets } = await serve();
  expect(await greet(connector(), address)).toBe('hello');
  expect(await greet(connector(['long.orders.test', 'short']), address)).toBe('hello');
  const servernames = sockets.map((socket) => (socket as { servername?: unknown }).servername);
  expect(servernames).toEqual(['orders.test', 'long.orders.test']);
  const wrong = 'closed: ERR_TLS_CERT_ALTNAME_INVALID';
  expect(await greet(connector(['stock.test']), address)).toBe(wrong);
  expect(await greet(connector(['127.0.0.1.test']), address)).toBe(wrong);
  const unverified = connector(['stock.test'], { isVerified: false });
  expect(await greet(unverified, address)).toBe('hello');
});

test('an authority that is not known is refused, unless nothing is verified', async () => {
  const { address } = await serve();
  const other = new TestAuthority('another').cert;
  expect(await greet(connector(['orders.test'], { ca: other }), address)).toMatch(
    /^closed: UNABLE/,
  );
  const unverified = connector(['orders.test'], { ca: other, isVerified: false });
  expect(await greet(unverified, address)).toBe('hello');
});

test('its own certificate is shown to a target that asks', async () => {
  const options = { ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const { address, sockets } = await serve(options);
  const own = authority.issue({ subject: { CN: 'balancer' } });
  expect(await greet(connector(['orders.test'], { ...own }), address)).toBe('hello');
  expect(sockets[0]?.getPeerX509Certificate()?.subject).toBe('CN=balancer');
  expect(await greet(connector(), address)).toMatch(/^closed: ERR_SSL/);
});

test('sessions are resumed with the same target, and not with another one', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { address, reused } = await serve({ maxVersion });
    const same = connector();
    for (let i = 0; i < 3; i++) expect(await greet(same, address)).toBe('hello');
    expect(await greet(same, { ...address })).toBe('hello');
    expect(reused).toEqual([false, true, true, false]);
  }
});

test('a session whose certificate was refused is not resumed', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { address } = await serve({ maxVersion });
    const wrong = connector(['stock.test']);
    for (let i = 0; i < 3; i++) {
      expect(await greet(wrong, address)).toBe('closed: ERR_TLS_CERT_ALTNAME_INVALID');
    }
  }
});

test('a target that speaks no TLS, or does not listen', async () => {
  const plain = createPlainServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  expect(await greet(connector(), address)).toBe('closed: ERR_SSL_WRONG_VERSION_NUMBER');
  plain.close();
  await expect.poll(() => greet(connector(), address), WAIT).toBe('closed: ECONNREFUSED');
});

test('given up before it is open, it is closed once and without an error', async () => {
  const silent = createPlainServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  for (const when of ['at once', 'in the handshake']) {
    const closes: unknown[] = [];
    const connection = connector().connect(
      { host: '127.0.0.1', port },
      {
        onConnect() {},
        onData() {},
        onDrain() {},
        onEnd() {},
        onClose: (error) => void closes.push(error),
      },
    );
    if (when === 'in the handshake') await once(silent, 'connection');
    connection.close();
    connection.abort();
    await expect.poll(() => closes, WAIT).toEqual([undefined]);
  }
});
