import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import {
  connect,
  type ConnectionOptions,
  createSecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import { ManualClock } from '@rollcall/runtime/testing';
import { TestAuthority } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createUnderTest, TLS_OPTIONS } from '../../testing/tls-under-test.ts';
import { NetTransport } from '../net-transport.ts';
import type { Connection } from '../transport.ts';
import type { HandshakeFault } from './handshake-fault.ts';
import { TlsAcceptor, type TlsAcceptorOptions, type TlsContexts } from './tls-acceptor.ts';

const WAIT = { timeout: 30_000 };
const authority = new TestAuthority();
const first = authority.issue({ names: ['first.test'] });
const second = authority.issue({ names: ['second.test'] });

function contexts(shared: SecureContextOptions = {}, fallback = { ...first, ...shared }) {
  const other = createSecureContext({ ...second, ...shared });
  return {
    fallback,
    find: (name) => (name === 'second.test' ? other : undefined),
  } satisfies TlsContexts;
}

async function start(
  options: Partial<TlsAcceptorOptions> = {},
  { given = contexts(), hasRoom = (_handshakes: number): boolean => true } = {},
) {
  const clock = new ManualClock();
  const faults: HandshakeFault[] = [];
  const onFault = (fault: HandshakeFault) => void faults.push(fault);
  const acceptor = new TlsAcceptor(
    given,
    { ...TLS_OPTIONS, ...options },
    {
      clock,
      onFault,
      create: createUnderTest(),
    },
  );
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
  const at = { host: '127.0.0.1', port: 0 };
  const listener = await new NetTransport().listen(at, accept, { handshaker: acceptor, hasRoom });
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    for (const connection of accepted) connection.close();
    await listener.close();
  });
  const { port } = listener.address;
  const kept = <T extends Socket>(socket: T): T => {
    sockets.push(socket);
    socket.on('error', () => {});
    return socket;
  };
  return {
    acceptor,
    accepted,
    faults,
    clock,
    listener,
    plain: () => kept(connectPlain(port, '127.0.0.1')),
    open: (more: ConnectionOptions = {}): TLSSocket =>
      kept(
        connect({ port, host: '127.0.0.1', ca: authority.cert, servername: 'first.test', ...more }),
      ),
  };
}

/** The subject that the other side showed. */
async function shown(socket: TLSSocket): Promise<string | undefined> {
  await once(socket, 'secureConnect');
  return socket.getPeerX509Certificate()?.subject;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

async function outcome(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve('secure'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    socket.once('close', () => resolve('closed'));
  });
}

test('the certificate is that of the name; without a name, or with another one, the first', async () => {
  const { open, accepted } = await start();
  expect(await shown(open())).toBe('CN=first.test');
  expect(await shown(open({ servername: 'second.test' }))).toBe('CN=second.test');
  const others = { checkServerIdentity: () => undefined };
  expect(await shown(open({ servername: 'third.test', ...others }))).toBe('CN=first.test');
  expect(await shown(open({ servername: '', ...others }))).toBe('CN=first.test');
  await expect.poll(() => accepted.length, WAIT).toBe(4);
  expect(accepted.map(({ tls }) => tls?.serverName)).toEqual([
    'first.test',
    'second.test',
    'third.test',
    '',
  ]);
  expect(accepted[0]?.tls).toMatchObject({ version: 'TLSv1.3', alpn: '', isResumed: false });
});

test('without a certificate for all other names these are refused, and say so', async () => {
  const given = contexts({}, {} as typeof first);
  const { open, faults } = await start({}, { given });
  expect(await shown(open({ servername: 'second.test' }))).toBe('CN=second.test');
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    expect(await outcome(open({ servername: 'third.test', maxVersion }))).toMatch(/HANDSHAKE_FAIL/);
    expect(await outcome(open({ servername: '', maxVersion }))).toMatch(/HANDSHAKE_FAIL/);
  }
  await expect.poll(() => faults, WAIT).toEqual(Array(4).fill('unknown_name'));
});

test('new certificates are for new connections; old connections go on', async () => {
  const { open, acceptor } = await start();
  const old = open();
  expect(await shown(old)).toBe('CN=first.test');
  const renewed = authority.issue({ names: ['first.test'], subject: { CN: 'renewed' } });
  acceptor.replace({ fallback: renewed, find: () => undefined });
  expect(await shown(open())).toBe('CN=renewed');
  expect(
    await shown(open({ servername: 'second.test', checkServerIdentity: () => undefined })),
  ).toBe('CN=renewed');
  old.write('still here');
  expect(String((await once(old, 'data'))[0])).toBe('still here');
});

test('a session is resumed, for every name; a certificate replaced with the same keys keeps that', async () => {
  const shared = { sessionIdContext: 'x', ticketKeys: Buffer.alloc(48, 7) };
  const { open, acceptor } = await start({}, { given: contexts(shared) });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const servername of ['first.test', 'second.test']) {
      const sessions: Buffer[] = [];
      const socket = open({ servername, maxVersion });
      socket.on('session', (session) => sessions.push(session));
      await once(socket, 'secureConnect');
      await expect.poll(() => sessions.length, WAIT).toBeGreaterThan(0);
      acceptor.replace(contexts(shared));
      const again = open({ servername, maxVersion, session: sessions.at(-1)! });
      await once(again, 'secureConnect');
      expect(again.isSessionReused()).toBe(true);
    }
  }
  await expect.poll(() => acceptor.counters, WAIT).toMatchObject({ full: 4, resumed: 4 });
});

test('only what is served is agreed on', async () => {
  const { open, accepted, faults } = await start();
  const client = open({ ALPNProtocols: ['h2', 'http/1.1'] });
  await once(client, 'secureConnect');
  expect(client.alpnProtocol).toBe('http/1.1');
  await expect.poll(() => accepted[0]?.tls?.alpn, WAIT).toBe('http/1.1');
  expect(await outcome(open({ ALPNProtocols: ['h2'] }))).toMatch(/NO_APPLICATION_PROTOCOL/);
  await expect.poll(() => faults, WAIT).toEqual(['alpn']);
});

const client = authority.issue({ subject: { CN: 'client', O: 'shop' }, names: ['client.test'] });
const foreign = new TestAuthority('another').issue({ names: ['client.test'] });

test('required client certificates: shown, missing, and of another authority', async () => {
  const given = contexts({ ca: authority.cert });
  const { open, accepted, faults } = await start({ clientCertificates: 'require' }, { given });
  await once(open(client), 'secureConnect');
  await expect.poll(() => accepted.length, WAIT).toBe(1);
  expect(accepted[0]?.tls?.clientCertificate?.subject).toBe('CN=client\nO=shop');
  const missing = open({ maxVersion: 'TLSv1.2' });
  expect(await outcome(missing)).toMatch(/ALERT/);
  await closed(open(foreign));
  await expect.poll(() => faults, WAIT).toEqual(['no_certificate', 'bad_certificate']);
  expect(accepted).toHaveLength(1);
});

test('optional client certificates: none is fine, one of another authority is not', async () => {
  const given = contexts({ ca: authority.cert });
  const { open, accepted, faults } = await start({ clientCertificates: 'optional' }, { given });
  await once(open(), 'secureConnect');
  await once(open({ ...client, servername: 'second.test' }), 'secureConnect');
  await closed(open(foreign));
  await expect.poll(() => faults, WAIT).toEqual(['bad_certificate']);
  const subjects = accepted.map(({ tls }) => tls?.clientCertificate?.subject);
  expect(subjects).toEqual([undefined, 'CN=client\nO=shop']);
});

test('a resumed session has the identity of its client, and none where other rules hold', async () => {
  const shared = { ca: authority.cert, ticketKeys: Buffer.alloc(48, 7) };
  const strict = await start(
    { clientCertificates: 'require' },
    { given: contexts({ ...shared, sessionIdContext: 'strict' }) },
  );
  const lax = await start({}, { given: contexts({ ...shared, sessionIdContext: 'lax' }) });
  const sessionOf = async (socket: TLSSocket) => {
    const session = once(socket, 'session');
    await once(socket, 'secureConnect');
    return (await session)[0] as Buffer;
  };
  const own = await sessionOf(strict.open(client));
  const again = strict.open({ ...client, session: own });
  await once(again, 'secureConnect');
  expect(again.isSessionReused()).toBe(true);
  await expect.poll(() => strict.accepted.length, WAIT).toBe(2);
  expect(strict.accepted[1]?.tls?.clientCertificate?.subject).toBe('CN=client\nO=shop');
  const foreignSession = await sessionOf(lax.open());
  await closed(strict.open({ session: foreignSession }));
  expect(strict.accepted).toHaveLength(2);
  expect(strict.faults).toEqual(['no_certificate']);
});

test.each<[HandshakeFault, string]>([
  ['not_tls', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['not_tls', 'SSH-2.0-x\r\n'],
])('%s: %j', async (fault, text) => {
  const { plain, faults } = await start();
  const socket = plain();
  socket.write(text);
  socket.resume();
  await once(socket, 'close');
  expect(faults).toEqual([fault]);
});

test('old versions, refusals by the client, and clients that go away', async () => {
  const given = contexts({ minVersion: 'TLSv1.3' });
  const { open, plain, faults } = await start({}, { given });
  expect(await outcome(open({ maxVersion: 'TLSv1.2' }))).toMatch(/ALERT_PROTOCOL_VERSION/);
  await expect.poll(() => faults, WAIT).toEqual(['version']);
  const socket = plain();
  await once(socket, 'connect');
  socket.end();
  await expect.poll(() => faults, WAIT).toEqual(['version', 'closed']);
});

test('a handshake that takes too long is reset, one that is complete is not', async () => {
  const { open, plain, faults, clock, acceptor, accepted } = await start({ handshakeMs: 5_000 });
  const done = open();
  await once(done, 'secureConnect');
  await expect.poll(() => accepted.length, WAIT).toBe(1);
  const silent = plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(1);
  clock.advance(4_000);
  // The beginning of a handshake that never goes on: every byte would have to restart the time to last longer.
  silent.write(Buffer.from([22, 3, 1]));
  clock.advance(1_250);
  const [error] = (await once(silent, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  expect(acceptor.handshakesUnderWay).toBe(0);
  done.write('still here');
  expect(String((await once(done, 'data'))[0])).toBe('still here');
  // Counted once.
  const later = plain();
  later.end();
  await expect.poll(() => faults, WAIT).toEqual(['timeout', 'closed']);
});

test('at the limit new clients are refused, until those that are slow make room', async () => {
  const { open, plain, faults, clock, acceptor } = await start({ handshakeLimit: 2 });
  const slow = [plain(), plain()];
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(2);
  expect(await outcome(open())).not.toBe('secure');
  expect(faults).toEqual(['limit']);
  clock.advance(1_000);
  expect(await outcome(open())).toBe('secure');
  await expect.poll(() => faults, WAIT).toEqual(['limit', 'limit']);
  await expect.poll(() => slow[0]!.destroyed, WAIT).toBe(true);
  expect(slow[1]!.destroyed).toBe(false);
});

test('where there is no room for a connection, no handshake is made', async () => {
  let room: number = 1;
  const { open, faults, acceptor } = await start({}, { hasRoom: () => room-- > 0 });
  expect(await outcome(open())).toBe('secure');
  expect(await outcome(open())).not.toBe('secure');
  await expect.poll(() => faults, WAIT).toEqual(['limit']);
  expect(acceptor.counters).toMatchObject({ full: 1, resumed: 0 });
});

test('handshakes under way count as connections', async () => {
  const { open, plain, acceptor } = await start({}, { hasRoom: (handshakes) => handshakes < 1 });
  const slow = plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(1);
  expect(await outcome(open())).not.toBe('secure');
  slow.destroy();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(0);
  expect(await outcome(open())).toBe('secure');
});

test('closing frees the port at once; handshakes that have begun keep their deadline', async () => {
  const { plain, clock, acceptor, listener, faults, accepted } = await start({
    handshakeMs: 10_000,
  });
  const slow = plain();
  plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(2);
  await listener.close();
  const refused = plain();
  expect(await outcome(refused)).toBe('ECONNREFUSED');
  let isSettled = false;
  const settled = (async () => {
    await listener.settled();
    isSettled = true;
  })();
  clock.advance(9_750);
  const late = connect({ socket: slow, ca: authority.cert, servername: 'first.test' });
  await once(late, 'secureConnect');
  late.write('here');
  expect(String((await once(late, 'data'))[0])).toBe('here');
  expect([accepted.length, listener.handshakes, isSettled]).toEqual([1, 1, false]);
  clock.advance(500);
  await settled;
  expect(faults).toEqual(['timeout']);
});

test('handshakes of one listener are given up, those of another go on', async () => {
  const { plain, acceptor, listener, accepted, faults } = await start();
  const hasRoom = () => true;
  const accept = (connection: Connection) => {
    accepted.push(connection);
    return { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
  };
  const at = { host: '127.0.0.1', port: 0 };
  const other = await new NetTransport().listen(at, accept, { handshaker: acceptor, hasRoom });
  plain();
  const kept = connectPlain(other.address.port, '127.0.0.1');
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(2);
  expect([listener.handshakes, other.handshakes]).toEqual([1, 1]);
  listener.giveUpHandshakes();
  await listener.settled();
  expect([listener.handshakes, other.handshakes]).toEqual([0, 1]);
  const secure = connect({ socket: kept, ca: authority.cert, servername: 'first.test' });
  await once(secure, 'secureConnect');
  await expect.poll(() => accepted.length, WAIT).toBe(1);
  expect(faults).toEqual(['timeout']);
  secure.destroy();
  await other.close();
});

test('other rules are for new handshakes; one that has begun has no use of them', async () => {
  const shared = { ca: authority.cert, ticketKeys: Buffer.alloc(48, 7) };
  const lax = contexts({ ...shared, sessionIdContext: 'lax' });
  const { plain, open, acceptor, accepted, faults } = await start({}, { given: lax });
  const old = open();
  await once(old, 'secureConnect');
  const begun = plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(1);
  const strict = contexts({ ...shared, sessionIdContext: 'strict' });
  const use = acceptor.prepare(strict, { protocols: [], clientCertificates: 'require' });
  await once(open(), 'secureConnect');
  use();
  const options = { ca: authority.cert, servername: 'second.test' };
  const late = connect({ socket: begun, ...options });
  const [session] = (await once(late, 'session')) as [Buffer];
  await expect.poll(() => accepted.length, WAIT).toBe(3);
  // The session was made under rules that let this client in; under those of now it counts for nothing.
  await closed(open({ ...options, session }));
  expect(accepted).toHaveLength(3);
  await once(open(client), 'secureConnect');
  await expect.poll(() => faults, WAIT).toEqual(['no_certificate']);
  old.write('still here');
  expect(String((await once(old, 'data'))[0])).toBe('still here');
});

test('bounds are for the handshakes that begin after they were changed', async () => {
  const { plain, acceptor, clock } = await start({ handshakeMs: 10_000 });
  plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(1);
  acceptor.configure({ handshakeMs: 1_000, handshakeLimit: 2 });
  plain();
  await expect.poll(() => acceptor.handshakesUnderWay, WAIT).toBe(2);
  await closed(plain());
  clock.advance(1_000);
  expect(acceptor.handshakesUnderWay).toBe(1);
});

test('a connection that is closed says so, and does not look cut off', async () => {
  const { open, accepted } = await start();
  const socket = open();
  await once(socket, 'secureConnect');
  await expect.poll(() => accepted.length, WAIT).toBe(1);
  const ended = once(socket, 'end');
  accepted[0]!.close();
  await ended;
});
