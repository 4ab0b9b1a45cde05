import type { TLSSocket, TlsOptions } from 'node:tls';
import { expect, test } from 'vitest';
import type { LoadBalancer } from './compose.ts';
import { serveInstance, startTlsBalancer } from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';

const WAIT = { timeout: 30_000 };

interface Given {
  readonly names?: readonly string[];
  /** Keys below `tls` of the target group. */
  readonly tls?: string;
  /** Further keys of the target group. */
  readonly more?: string;
  readonly instance?: TlsOptions;
}

/** A balancer with one instance over TLS, whose certificate is for these names. */
async function start(files: TlsFiles, given: Given = {}) {
  const { names = ['hello.default.rollcall'], tls = `ca: ${files.ca}`, more = '' } = given;
  const sockets: TLSSocket[] = [];
  const resumed: boolean[] = [];
  const port = await serveInstance(
    ({ socket, url }, response) => {
      const secure = socket as TLSSocket;
      if (!sockets.includes(secure)) {
        sockets.push(secure);
        resumed.push(secure.isSessionReused());
      }
      if (url === '/close') response.setHeader('Connection', 'close');
      response.end('hello');
    },
    { ...files.authority.issue({ names }), ...given.instance },
  );
  const group = `service: hello, scheme: https, tls: { ${tls} }, ejection: { baseMs: 1 }${more}`;
  const listener = 'listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]';
  const started = await startTlsBalancer(`targetGroups: { hello: { ${group} } }\n${listener}`, [
    port,
  ]);
  return { ...started, sockets, resumed };
}

const get = async (balancer: LoadBalancer, path = '/') => {
  const answer = await fetch(`${balancer.addresses.listeners['web']}${path}`);
  return [answer.status, await answer.text()] as const;
};

async function targetOf(balancer: LoadBalancer) {
  const answer = await fetch(`${balancer.addresses.admin}/targets`);
  const { targetGroups } = (await answer.json()) as {
    targetGroups: { targets: { state: string; reason: string }[] }[];
  };
  return targetGroups[0]?.targets[0];
}

test.each([['hello.default.rollcall'], ['hello.rollcall'], ['*.default.rollcall']])(
  'a target whose certificate is for %s belongs to the service',
  async (name) => {
    const { balancer, sockets } = await start(new TlsFiles(), { names: [name] });
    expect(await get(balancer)).toEqual([200, 'hello']);
    expect((sockets[0] as { servername?: unknown }).servername).toBe('hello.default.rollcall');
  },
);

test('one for another name does not, although it has the address', async () => {
  const files = new TlsFiles();
  const names = ['stock.default.rollcall', 'localhost'];
  const { balancer } = await start(files, { names });
  const [status, body] = await get(balancer);
  expect(status).toBe(502);
  expect(body).toContain('"code":"upstream_connect_failed"');
  const other = await start(files, { names, tls: `ca: ${files.ca}, servername: localhost` });
  expect(await get(other.balancer)).toEqual([200, 'hello']);
});

test('an authority that is not trusted, unless nothing is verified', async () => {
  const files = new TlsFiles();
  const { balancer } = await start(files, { tls: '' });
  expect((await get(balancer))[0]).toBe(502);
  const blind = await start(files, { names: ['x.test'], tls: 'insecureSkipVerify: true' });
  expect(await get(blind.balancer)).toEqual([200, 'hello']);
});

test('connections are kept, and sessions resumed', async () => {
  const { balancer, resumed } = await start(new TlsFiles());
  for (let i = 0; i < 3; i++) await get(balancer);
  expect(resumed).toEqual([false]);
  for (let i = 0; i < 3; i++) await get(balancer, '/close');
  expect(resumed).toEqual([false, true, true]);
});

test('a certificate of its own, replaced while it runs', async () => {
  const files = new TlsFiles();
  const own = files.issue('own', { subject: { CN: 'first' } }).files;
  const { balancer, sockets, lines } = await start(files, {
    tls: `ca: ${files.ca}, cert: ${own.cert}, key: ${own.key}`,
    instance: { ca: files.authority.cert, requestCert: true, rejectUnauthorized: true },
  });
  const shown = async () => {
    const [status] = await get(balancer);
    const subject = sockets.at(-1)?.getPeerX509Certificate()?.subject;
    // The next request needs another connection.
    for (const socket of sockets.splice(0)) socket.destroy();
    return [status, subject];
  };
  expect(await shown()).toEqual([200, 'CN=first']);
  files.issue('own', { subject: { CN: 'second' } });
  await expect.poll(() => lines.join('\n'), WAIT).toContain('target group hello: replaced');
  expect(await shown()).toEqual([200, 'CN=second']);
});

test('health checks speak TLS too, and check the same names', async () => {
  const more = ', healthCheck: { intervalMs: 50, unhealthyThreshold: 1 }';
  const good = await start(new TlsFiles(), { more });
  await expect
    .poll(() => targetOf(good.balancer), WAIT)
    .toMatchObject({ state: 'healthy', reason: expect.stringContaining('GET / answered 200') });
  const bad = await start(new TlsFiles(), { more, names: ['stock.default.rollcall'] });
  await expect
    .poll(() => targetOf(bad.balancer), WAIT)
    .toMatchObject({
      state: 'unhealthy',
      reason: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
});

test('a target that speaks no TLS', async () => {
  const files = new TlsFiles();
  const port = await serveInstance((_, response) => response.end('plain'));
  const group = `service: hello, scheme: https, tls: { ca: ${files.ca} }`;
  const listener = 'listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]';
  const { balancer } = await startTlsBalancer(
    `targetGroups: { hello: { ${group} } }\n${listener}`,
    [port],
  );
  expect((await get(balancer))[0]).toBe(502);
});
