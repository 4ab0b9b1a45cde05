import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { TestAuthority } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import type { LoadBalancer } from './compose.ts';
import {
  getOver,
  openTls,
  portOf,
  serveInstance,
  startTlsBalancer,
} from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';

const WAIT = { timeout: 30_000 };
const run = promisify(execFile);

/** Whether a program is there, to test with. */
const has = (program: string, flag: string) =>
  run(program, [flag]).then(
    () => true,
    () => false,
  );
const [hasCurl, hasOpenssl] = await Promise.all([
  has('curl', '--version'),
  has('openssl', 'version'),
]);

function listenerOf(certificates: readonly { cert: string; key: string }[], more = ''): string {
  const pairs = certificates.map(({ cert, key }) => `{ cert: ${cert}, key: ${key} }`).join(', ');
  const tls = `certificates: [${pairs}]${more === '' ? '' : `, ${more}`}`;
  return `  - { name: web, port: 0, protocol: https, tls: { ${tls} }, default: { targetGroup: hello } }\n`;
}

const oneListener = (...given: Parameters<typeof listenerOf>) =>
  `listeners:\n${listenerOf(...given)}`;

async function metric(balancer: LoadBalancer, name: string): Promise<string[]> {
  const answer = await fetch(`${balancer.addresses.admin}/metrics`);
  const lines = (await answer.text()).split('\n');
  return lines.filter((line) => line.startsWith(`rollcall_lb_${name}`));
}

test('requests over TLS reach the targets, which learn of it', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const seen: unknown[] = [];
  const port = await serveInstance(({ headers }, response) => {
    const { 'x-forwarded-proto': proto, 'x-forwarded-port': listener } = headers;
    seen.push([proto, listener, headers['x-forwarded-client-cert']]);
    response.end('hello');
  });
  const { balancer } = await startTlsBalancer(oneListener([pair]), [port]);
  expect(balancer.addresses.listeners['web']).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const own = portOf(balancer, 'web');
  const socket = await openTls(own, { ca: files.authority.cert, servername: 'a.test' });
  expect(await getOver(socket, 'X-Forwarded-Client-Cert: Hash=0\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  expect(seen).toEqual([['https', String(own), undefined]]);
  const [sessions] = await metric(balancer, 'tls_handshakes_total{listener="web",resumed="no"}');
  expect(sessions).toMatch(/ 1$/);
});

test('the certificate depends on the name; readyz and the metrics say when each one ends', async () => {
  const files = new TlsFiles();
  const a = files.issue('a', { names: ['a.test', '*.a.test'] });
  const b = files.issue('b', { names: ['b.a.test'], toDays: 10 });
  const { balancer, lines } = await startTlsBalancer(oneListener([a.files, b.files]), []);
  const shownTo = async (servername: string) => {
    const options = { ca: files.authority.cert, servername, checkServerIdentity: () => undefined };
    const socket = await openTls(portOf(balancer, 'web'), options);
    return socket.getPeerX509Certificate()?.subject;
  };
  expect(await shownTo('x.a.test')).toBe('CN=a.test');
  expect(await shownTo('b.a.test')).toBe('CN=b.a.test');
  expect(await shownTo('unknown.test')).toBe('CN=a.test');
  const ready = (await (await fetch(`${balancer.addresses.admin}/readyz`)).json()) as {
    certificates: { listener: string; name: string; expiresAt: string; daysLeft: number }[];
  };
  expect(ready.certificates).toMatchObject([
    { listener: 'web', name: 'a.test', daysLeft: 29 },
    { listener: 'web', name: 'b.a.test', daysLeft: 9 },
  ]);
  const expiresAt = new Date(ready.certificates[1]!.expiresAt).getTime() / 1_000;
  expect(await metric(balancer, 'certificate_expires_timestamp_seconds{')).toContain(
    `rollcall_lb_certificate_expires_timestamp_seconds{listener="web",name="b.a.test"} ${expiresAt}`,
  );
  const warnings = lines.filter((line) => /^warn.*certificate/.test(line));
  expect(warnings).toEqual([
    expect.stringMatching(
      /^warn: certificate b\.a\.test of listener web \(.*b\.pem\) expires in 9 days, at /,
    ),
  ]);
  expect(await (await fetch(`${balancer.addresses.admin}/certificates`)).json()).toMatchObject({
    certificates: [{ names: ['a.test', '*.a.test'], file: a.files.cert }, { names: ['b.a.test'] }],
  });
});

test('new files are used without dropping a connection; bad ones are refused, and the old ones stay', async () => {
  const files = new TlsFiles();
  const first = files.issue('a', { names: ['a.test'], subject: { CN: 'first' } });
  const port = await serveInstance((_, response) => response.end('ok'));
  const { balancer, lines } = await startTlsBalancer(oneListener([first.files]), [port]);
  const options = { ca: files.authority.cert, servername: 'a.test' };
  const open = () => openTls(portOf(balancer, 'web'), options);
  const shown = async () => {
    const socket = await open();
    const subject = socket.getPeerX509Certificate()?.subject;
    socket.destroy();
    return subject;
  };
  // Clients that stay connected, and clients that come and go, for as long as certificates change.
  const over = new AbortController();
  let answers = 0;
  const faults: unknown[] = [];
  const kept = await Promise.all([open(), open()]);
  const staying = kept.map(async (socket) => {
    while (!over.signal.aborted) {
      socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      if (bytes.toString().startsWith('HTTP/1.1 200 ')) answers++;
      else faults.push(bytes.toString());
    }
  });
  const passing = [1, 2].map(async () => {
    while (!over.signal.aborted) {
      const answer = await open().then((socket) => getOver(socket), String);
      if (answer.startsWith('HTTP/1.1 200 ')) answers++;
      else faults.push(answer);
    }
  });
  expect(await shown()).toBe('CN=first');
  const refusals = () => lines.filter((line) => line.startsWith('error'));

  files.put('a', { cert: first.cert, key: files.authority.issue({ names: ['a.test'] }).key });
  await expect
    .poll(refusals, WAIT)
    .toEqual([
      expect.stringMatching(
        /^error: certificates of listener web: not replaced, the earlier ones stay in use: .*a\.key: expected the private key of the certificate in .*a\.pem$/,
      ),
    ]);
  expect(await shown()).toBe('CN=first');

  files.put('a', files.authority.issue({ names: ['a.test'], subject: { CN: 'second' } }));
  await expect.poll(shown, WAIT).toBe('CN=second');
  files.put('a', files.authority.issue({ names: ['a.test'], fromDays: -9, toDays: -1 }));
  await expect.poll(() => refusals().length, WAIT).toBe(2);
  expect(refusals()[1]).toMatch(/a\.pem:1: expected a certificate that has not expired/);
  expect(await shown()).toBe('CN=second');
  files.put('a', files.authority.issue({ names: ['a.test'], subject: { CN: 'third' } }));
  await expect.poll(shown, WAIT).toBe('CN=third');

  over.abort();
  await Promise.all([...staying, ...passing]);
  expect(faults).toEqual([]);
  expect(answers).toBeGreaterThan(20);
  expect(await metric(balancer, 'certificate_reloads_total{')).toEqual([
    'rollcall_lb_certificate_reloads_total{outcome="replaced"} 2',
    'rollcall_lb_certificate_reloads_total{outcome="refused"} 2',
  ]);
});

test('a verified client certificate reaches the target; without one there is no connection', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const client = files.authority.issue({
    subject: { CN: 'orders' },
    uris: ['spiffe://shop/orders'],
  });
  const seen: unknown[] = [];
  const port = await serveInstance(({ headers }, response) => {
    seen.push(headers['x-forwarded-client-cert']);
    response.end('ok');
  });
  const listener = oneListener([pair], `verifyClient: require, clientCa: ${files.ca}`);
  const { balancer, lines } = await startTlsBalancer(`trustForwarded: true\n${listener}`, [port]);
  const own = portOf(balancer, 'web');
  const options = { ca: files.authority.cert, servername: 'a.test' };
  const forged = 'X-Forwarded-Client-Cert: Subject="CN=admin"\r\n';
  const answer = await getOver(await openTls(own, { ...options, ...client }), forged);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(seen).toEqual([
    expect.stringMatching(/^Hash=[0-9a-f]{64};Subject="CN=orders";URI=spiffe:\/\/shop\/orders$/),
  ]);
  await expect(openTls(own, { ...options, maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert/);
  const foreign = new TestAuthority('another').issue({ names: ['x.test'] });
  const stranger = await openTls(own, { ...options, ...foreign });
  expect(await getOver(stranger).catch(() => '')).toBe('');
  expect(seen).toHaveLength(1);
  const failed = 'tls_handshake_failures_total{listener="web",reason="';
  await expect
    .poll(async () => [
      ...(await metric(balancer, `${failed}no_certificate"}`)),
      ...(await metric(balancer, `${failed}bad_certificate"}`)),
    ])
    .toEqual([expect.stringMatching(/ 1$/), expect.stringMatching(/ 1$/)]);
  expect(lines.filter((line) => line.includes('handshake failed'))).toEqual([
    expect.stringMatching(/^debug: listener web: handshake failed: no_certificate: 127\.0\.0\.1/),
    expect.stringMatching(/^debug: listener web: handshake failed: bad_certificate: UNABLE/),
  ]);
});

class SharedKeys implements TicketKeys {
  current = Buffer.alloc(48, 1);
  readonly #listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(): void {
    this.current = Buffer.alloc(48, 2);
    for (const listener of this.#listeners) listener();
  }
}

async function sessionWith(port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = await openTls(port, options);
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}

test('two balancers with the same key resume the sessions of each other, until it changes', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const ticketKeys = new SharedKeys();
  const [one, two] = await Promise.all(
    [1, 2].map(() => startTlsBalancer(oneListener([pair]), [], { ticketKeys })),
  );
  const options: ConnectionOptions = { ca: files.authority.cert, servername: 'a.test' };
  const session = await sessionWith(portOf(one!.balancer, 'web'), options);
  const isResumed = async () =>
    (await openTls(portOf(two!.balancer, 'web'), { ...options, session })).isSessionReused();
  expect(await isResumed()).toBe(true);
  ticketKeys.change();
  expect(await isResumed()).toBe(false);
  expect(await metric(two!.balancer, 'tls_handshakes_total{')).toEqual([
    'rollcall_lb_tls_handshakes_total{listener="web",resumed="no"} 1',
    'rollcall_lb_tls_handshakes_total{listener="web",resumed="yes"} 1',
  ]);
});

test('slow handshakes do not keep others out, and end', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const port = await serveInstance((_, response) => response.end('ok'));
  const limits = 'timeouts: { handshakeMs: 2000 }\nlimits: { handshakes: 3 }\n';
  const { balancer } = await startTlsBalancer(limits + oneListener([pair]), [port]);
  const own = portOf(balancer, 'web');
  const slow = [1, 2, 3].map(() => connect(own, '127.0.0.1').on('error', () => {}));
  const options = { ca: files.authority.cert, servername: 'a.test' };
  const ask = () => openTls(own, options).then((socket) => getOver(socket), String);
  await expect.poll(ask, WAIT).toMatch(/^HTTP\/1\.1 200 /);
  await expect.poll(() => slow.every(({ destroyed }) => destroyed), WAIT).toBe(true);
  const [given] = await metric(
    balancer,
    'tls_handshake_failures_total{listener="web",reason="timeout"}',
  );
  expect(given).toMatch(/ [23]$/);
  expect(await metric(balancer, 'tls_handshakes_in_progress{')).toEqual([
    'rollcall_lb_tls_handshakes_in_progress{listener="web"} 0',
  ]);
});

test('a plain listener sends clients to https, wherever that listens', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const plain = '  - { name: plain, port: 0, default: { redirect: https } }\n';
  const { balancer } = await startTlsBalancer(`listeners:\n${plain}${listenerOf([pair])}`, []);
  const answer = await fetch(`${balancer.addresses.listeners['plain']}/a/b?c=d`, {
    redirect: 'manual',
  });
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe(
    `https://127.0.0.1:${portOf(balancer, 'web')}/a/b?c=d`,
  );
  const posted = await fetch(balancer.addresses.listeners['plain']!, {
    method: 'POST',
    body: 'x',
    redirect: 'manual',
  });
  expect(posted.status).toBe(308);
});

test.runIf(hasCurl)(
  'curl over every version that is allowed, and over none that is not',
  async () => {
    const files = new TlsFiles();
    const { files: pair } = files.issue('a', { names: ['a.test'] });
    const port = await serveInstance((_, response) => response.end('hello'));
    const { balancer } = await startTlsBalancer(oneListener([pair], 'minVersion: TLSv1.3'), [port]);
    const own = portOf(balancer, 'web');
    const curl = (...flags: string[]) =>
      run('curl', [
        '--silent',
        '--show-error',
        '--cacert',
        files.ca,
        '--resolve',
        `a.test:${own}:127.0.0.1`,
        ...flags,
        `https://a.test:${own}/`,
      ]);
    expect((await curl()).stdout).toBe('hello');
    expect((await curl('--tlsv1.3', '--http1.1')).stdout).toBe('hello');
    await expect(curl('--tls-max', '1.2')).rejects.toThrow(/alert protocol version/);
  },
);

test.runIf(hasOpenssl)('openssl: suites, names, and no renegotiation', async () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'] });
  const { balancer } = await startTlsBalancer(oneListener([pair], 'unknownNames: refuse'), []);
  const own = portOf(balancer, 'web');
  const connectWith = async (flags: string[], input = '') => {
    const all = ['s_client', '-connect', `127.0.0.1:${own}`, '-CAfile', files.ca, ...flags];
    const child = run('openssl', all);
    child.child.stdin?.end(input);
    const { stdout, stderr } = await child.catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    return stdout + stderr;
  };
  const named = ['-servername', 'a.test'];
  expect(await connectWith([...named, '-tls1_2'])).toMatch(
    /New, TLSv1\.2, Cipher is ECDHE-ECDSA-[^]*Verify return code: 0 \(ok\)/,
  );
  const weak = ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256'];
  expect(await connectWith([...named, ...weak])).toMatch(/handshake failure/);
  expect(await connectWith(['-servername', 'b.test'])).toMatch(/handshake failure/);
  expect(await connectWith(['-noservername'])).toMatch(/handshake failure/);
  expect(await connectWith([...named, '-tls1_2'], 'R\n')).toMatch(/no renegotiation/);
});
