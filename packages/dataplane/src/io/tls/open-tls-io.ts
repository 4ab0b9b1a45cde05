import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Clock } from '@rollcall/runtime';
import {
  createPublicly,
  type CreateSecured,
  type SecuredConnection,
} from './secured-connection.ts';
import { sessionOf } from './session-of.ts';
import { tlsBindings } from './tls-bindings.ts';
import { TlsHandleConnection } from './tls-handle-connection.ts';

/** How connections are read and written after their handshake. */
export interface TlsIo {
  /** Name of the implementation, for logs. */
  readonly name: 'handle' | 'net';
  readonly create: CreateSecured;
}

const PUBLIC: TlsIo = { name: 'net', create: createPublicly };
const HELLO = Buffer.from('probe');
const PROBE_MS = 2_000;
/** The test needs no certificate: both sides know this key. */
const PROBE_KEY = Buffer.alloc(16, 7);
const PROBE_OPTIONS: SecureContextOptions = {
  ciphers: 'PSK-AES128-GCM-SHA256',
  maxVersion: 'TLSv1.2',
};

/** Over the objects below Node.js's streams; undefined when this Node.js lacks them. Not tested yet. */
export function handleTlsIo(): TlsIo | undefined {
  const bindings = tlsBindings();
  if (bindings === undefined) return undefined;
  return {
    name: 'handle',
    create: (socket, raw, session) => new TlsHandleConnection(bindings, socket, raw, session),
  };
}

/**
 * Chooses how TLS connections are read and written: over the internal objects of Node.js if they exist and pass a test
 * over loopback, else over its public API. `io`: `net` = always the public one. Called once, at start.
 *
 * @param candidate what is tested.
 */
export async function openTlsIo(
  io: 'auto' | 'net',
  clock: Pick<Clock, 'every'>,
  candidate: TlsIo | undefined = handleTlsIo(),
): Promise<TlsIo> {
  const fast = io === 'auto' ? candidate : undefined;
  return fast !== undefined && (await carriesBytes(fast.create, clock)) ? fast : PUBLIC;
}

/** Whether bytes over a connection arrive, are answered, and end, in both roles. */
async function carriesBytes(create: CreateSecured, clock: Pick<Clock, 'every'>): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>();
  const patience = clock.every(PROBE_MS, () => outcome.resolve(false));
  const sockets: Socket[] = [];
  const listener = createServer((raw) => {
    sockets.push(raw);
    acceptProbe(raw, create, outcome.resolve);
  });
  try {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const raw = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(raw);
    raw.once('error', () => outcome.resolve(false));
    raw.once('connect', () => sendProbe(raw, create, outcome.resolve));
    return await outcome.promise;
  } catch {
    return false;
  } finally {
    patience.cancel();
    listener.close();
    for (const socket of sockets) socket.destroy();
  }
}

type Done = (isFine: boolean) => void;

/** Internal objects may have another form: whatever that leads to must not end the process. */
function guarded(done: Done, act: () => void): () => void {
  return () => {
    try {
      act();
    } catch {
      done(false);
    }
  };
}

function acceptProbe(raw: Socket, create: CreateSecured, done: Done): void {
  const server = process.getBuiltinModule('node:tls').createServer({
    ...PROBE_OPTIONS,
    pskCallback: () => PROBE_KEY,
  });
  server.on('tlsClientError', () => done(false));
  server.on('secureConnection', (socket) => {
    const session = sessionOf(socket, undefined);
    guarded(done, () => echo(create(socket, raw, session)))();
  });
  server.emit('connection', raw);
}

function echo(connection: SecuredConnection): void {
  connection.attach({
    onData: (buffer, start, end) => void connection.write(buffer, start, end),
    onDrain() {},
    onEnd: () => connection.shutdown(),
    onClose() {},
  });
}

function sendProbe(raw: Socket, create: CreateSecured, done: Done): void {
  const socket: TLSSocket = process.getBuiltinModule('node:tls').connect({
    ...PROBE_OPTIONS,
    socket: raw,
    pskCallback: () => ({ psk: PROBE_KEY, identity: 'probe' }),
    checkServerIdentity: () => undefined,
  });
  socket.on('error', () => done(false));
  socket.once(
    'secureConnect',
    guarded(done, () => askOver(create(socket, raw, sessionOf(socket, undefined)), done)),
  );
}

function askOver(connection: SecuredConnection, done: Done): void {
  let answer = '';
  connection.attach({
    onData(buffer, start, end) {
      answer += buffer.toString('latin1', start, end);
      if (answer.length === HELLO.length) connection.shutdown();
    },
    onDrain() {},
    onEnd: () => done(answer === HELLO.toString()),
    onClose: () => done(false),
  });
  connection.write(HELLO, 0, HELLO.length);
}
