import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { freePort } from '@rollcall/testkit';
import { RawClient } from '@rollcall/dataplane/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigFile } from './config/config-source.ts';
import { startDualTarget } from './testing/dual-target.ts';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench } from './testing/file-bench.ts';
import { MixedLoad } from './testing/load.ts';
import { getOver, openTls } from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';

const WAIT = { timeout: 60_000 };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const fixed = (body: string) => `default: { fixedResponse: { status: 200, body: ${body} } }`;
const toHello = 'default: { targetGroup: hello }';
const plain = (rest: string, port = 0, name = 'web') => `{ name: ${name}, port: ${port}, ${rest} }`;
const pair = ({ cert, key }: { cert: string; key: string }) => `{ cert: ${cert}, key: ${key} }`;
const text = async (url: string) => (await fetch(url)).text();

/** A listener with TLS, whose certificates are `a` and those given. */
class Shop {
  readonly files = new TlsFiles();
  readonly a = this.files.issue('a', { names: ['a.test'] }).files;
  readonly b = this.files.issue('b', { names: ['b.test'] }).files;

  secure(rest: string, given: { more?: string; also?: string; port?: number; name?: string } = {}) {
    const { more = '', also = '', port = 0, name = 'web' } = given;
    const tls = `{ certificates: [${pair(this.a)}${also}]${more} }`;
    return `{ name: ${name}, port: ${port}, protocol: https, tls: ${tls}, ${rest} }`;
  }

  open(port: number, more: ConnectionOptions = {}): Promise<TLSSocket> {
    return openTls(port, { ca: this.files.authority.cert, servername: 'a.test', ...more });
  }

  async ask(port: number, more: ConnectionOptions = {}): Promise<string> {
    return bodyOf(await getOver(await this.open(port, more)));
  }

  /** The subject that a client which asks for this name is shown. */
  async shown(port: number, servername: string): Promise<string | undefined> {
    const socket = await this.open(port, { servername, checkServerIdentity: () => undefined });
    const subject = socket.getPeerX509Certificate()?.subject;
    await getOver(socket);
    return subject;
  }
}

const bodyOf = (answer: string) => answer.split('\r\n\r\n')[1] ?? answer;

async function askOn(socket: TLSSocket): Promise<string> {
  socket.write(GET);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bodyOf(bytes.toString());
}

/** With TLS 1.2 there is one as soon as the handshake is complete. */
function sessionOf(socket: TLSSocket): Buffer {
  const session = socket.getSession();
  socket.destroy();
  return session!;
}

async function handshakes(bench: FileBench, listener = 'web'): Promise<number> {
  const lines = (await text(`${bench.admin}/metrics`)).split('\n');
  const name = `rollcall_lb_tls_handshakes_total{listener="${listener}"`;
  const own = lines.filter((line) => line.startsWith(name));
  return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe.each([
  ['in this process', ''],
  ['in two workers', 'workers: 2'],
])('%s', (_, more) => {
  const start = (listeners: string, rest = {}, parts = {}) =>
    FileBench.start({ listeners: `[${listeners}]`, more, ...rest }, parts);
  const applyTo = (bench: FileBench, listeners: string, rest = {}) =>
    bench.apply({ listeners: `[${listeners}]`, more, ...rest });

  test('a listener with TLS is added, renamed and removed', async () => {
    const shop = new Shop();
    const bench = await start(plain(fixed('plain')));
    const before = bench.port();
    const both = (name: string) =>
      `${plain(fixed('plain'))}, ${shop.secure(fixed('tls'), { name })}`;
    const port = await freePort();
    const fixedPort = (name: string) =>
      both(name).replace(`${name}, port: 0`, `${name}, port: ${port}`);
    expect(await applyTo(bench, fixedPort('tls'))).toEqual({
      result: 'applied',
      changes: ['listener tls added'],
    });
    expect(bench.url('tls')).toBe(`https://127.0.0.1:${port}`);
    expect(await shop.ask(port)).toBe('tls');
    expect(bench.port()).toBe(before);
    expect(await handshakes(bench, 'tls')).toBe(1);
    expect(await bench.readyz()).toMatchObject({ certificates: [{ listener: 'tls' }] });
    const open = await shop.open(port);
    await applyTo(bench, fixedPort('other'));
    expect(await askOn(open)).toBe('tls');
    expect(await shop.ask(port)).toBe('tls');
    await applyTo(bench, plain(fixed('plain')));
    expect(await bench.readyz()).not.toHaveProperty('certificates');
    await expect.poll(() => shop.ask(port).catch(String), WAIT).toContain('ECONNREFUSED');
  });

  test('certificates are added and removed; connections, sessions and counts stay', async () => {
    const shop = new Shop();
    const bench = await start(shop.secure(fixed('x')));
    const port = bench.port();
    const open = await shop.open(port);
    const options = { maxVersion: 'TLSv1.2' } as const;
    const session = sessionOf(await shop.open(port, options));
    expect(await shop.shown(port, 'b.test')).toBe('CN=a.test');
    const also = `, ${pair(shop.b)}`;
    expect(await applyTo(bench, shop.secure(fixed('x'), { also }))).not.toHaveProperty('errors');
    expect(await shop.shown(port, 'b.test')).toBe('CN=b.test');
    expect((await shop.open(port, { ...options, session })).isSessionReused()).toBe(true);
    await applyTo(bench, shop.secure(fixed('x'), { also, more: ', unknownNames: refuse' }));
    await expect(shop.shown(port, 'c.test')).rejects.toThrow(/handshake failure/);
    await applyTo(bench, shop.secure(fixed('x')));
    expect(await shop.shown(port, 'b.test')).toBe('CN=a.test');
    expect(await askOn(open)).toBe('x');
    expect(bench.port()).toBe(port);
    expect(await handshakes(bench)).toBe(6);
  });

  test('clients have to show a certificate from the change on, also those with a session', async () => {
    const shop = new Shop();
    const client = shop.files.authority.issue({ subject: { CN: 'client' } });
    const bench = await start(shop.secure(fixed('x')));
    const port = bench.port();
    const open = await shop.open(port);
    const options = { maxVersion: 'TLSv1.2' } as const;
    const session = sessionOf(await shop.open(port, options));
    const strict = `, verifyClient: require, clientCa: ${shop.files.ca}`;
    expect(await applyTo(bench, shop.secure(fixed('x'), { more: strict }))).not.toHaveProperty(
      'errors',
    );
    for (let i = 0; i < 4; i++) {
      await expect(shop.open(port, { ...options, session })).rejects.toThrow(/alert/);
      expect(await shop.ask(port, client)).toBe('x');
    }
    expect(await askOn(open)).toBe('x');
    await applyTo(bench, shop.secure(fixed('x'), { more: ', minVersion: TLSv1.3' }));
    expect(await shop.ask(port)).toBe('x');
    await expect(shop.open(port, options)).rejects.toThrow(/alert protocol version/);
  });

  test('a listener with TLS moves, and its sessions and counts with it', async () => {
    const shop = new Shop();
    const bench = await start(shop.secure(fixed('x')));
    const old = bench.port();
    const options = { maxVersion: 'TLSv1.2' } as const;
    const session = sessionOf(await shop.open(old, options));
    const open = await shop.open(old);
    const port = await freePort();
    await applyTo(bench, shop.secure(fixed('moved'), { port }));
    const resumed = await shop.open(port, { ...options, session });
    expect(resumed.isSessionReused()).toBe(true);
    expect(await askOn(resumed)).toBe('moved');
    expect(await handshakes(bench)).toBe(3);
    expect(await askOn(open)).toContain('x');
    await expect.poll(() => shop.ask(old).catch(String), WAIT).toContain('ECONNREFUSED');
    // It needs the port that it has.
    const everywhere = shop.secure(fixed('x'), { port }).replace('port:', 'host: 0.0.0.0, port:');
    expect(await applyTo(bench, everywhere)).not.toHaveProperty('errors');
    const again = await shop.open(port, { ...options, session, host: '127.0.0.2' });
    expect(again.isSessionReused()).toBe(true);
  });

  test('a listener begins to speak TLS at its port, and ceases to', async () => {
    const shop = new Shop();
    const bench = await start(plain(fixed('one')));
    const port = bench.port();
    const client = await RawClient.connect(port);
    client.send(GET);
    await client.untilText('one');
    expect(await applyTo(bench, shop.secure(fixed('two')))).toEqual({
      result: 'applied',
      changes: ['listener web changed'],
    });
    expect(bench.url()).toBe(`https://127.0.0.1:${port}`);
    for (let i = 0; i < 8; i++) expect(await shop.ask(port)).toBe('two');
    await expect(text(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
    // It has no TLS, and keeps that.
    client.send(GET);
    await client.untilText('two');
    expect(client.text).not.toContain('Connection: close');
    client.close();
    const open = await shop.open(port);
    expect(await applyTo(bench, plain(fixed('three')))).not.toHaveProperty('errors');
    expect(bench.url()).toBe(`http://127.0.0.1:${port}`);
    for (let i = 0; i < 8; i++) expect(await text(bench.url())).toBe('three');
    expect(await askOn(open)).toBe('three');
    await expect(shop.open(port)).rejects.toThrow(/wrong version number/);
  });

  test('the targets of a group are reached by TLS from the change on, and checked by it', async () => {
    const shop = new Shop();
    const names = ['hello.default.rollcall'];
    const held: ServerResponse[] = [];
    const checks = new Set<string>();
    const port = await startDualTarget(shop.files.authority.issue({ names }), (asked, response) => {
      const scheme = 'encrypted' in asked.socket ? 'https' : 'http';
      if (asked.url === '/check') checks.add(scheme);
      if (asked.url === '/slow') held.push(response);
      else response.end(scheme);
    });
    const check = 'healthCheck: { path: /check, intervalMs: 50 }';
    const group = (rest: string) => ({
      targetGroups: `{ hello: { service: hello, ${check}${rest} } }`,
    });
    const source = new FakeSource([endpoint(port)]);
    const bench = await start(plain(toHello), group(''), { openSource: () => source });
    const answers = async () => {
      const bodies = await Promise.all(Array.from({ length: 8 }, () => text(bench.url())));
      return [...new Set(bodies)];
    };
    expect(await answers()).toEqual(['http']);
    const slow = text(`${bench.url()}/slow`);
    await expect.poll(() => held.length, WAIT).toBe(1);
    await expect.poll(() => [...checks], WAIT).toEqual(['http']);
    const [target] = bench.balancer.groups[0]!.targets();
    const secure = `, scheme: https, tls: { ca: ${shop.files.ca} }`;
    expect(await applyTo(bench, plain(toHello), group(secure))).toEqual({
      result: 'applied',
      changes: ['target group hello changed'],
    });
    // Those that are open and unused too are not used any more.
    expect(await answers()).toEqual(['https']);
    expect(bench.balancer.groups[0]!.targets()).toEqual([target]);
    await expect.poll(() => checks.has('https'), WAIT).toBe(true);
    held[0]!.end('finished');
    expect(await slow).toBe('finished');
    expect(await answers()).toEqual(['https']);
    // Another authority: the target is not the service any more.
    const foreign = shop.files.write('foreign.pem', new TlsFiles().authority.cert);
    await applyTo(bench, plain(toHello), group(`, scheme: https, tls: { ca: ${foreign} }`));
    expect((await fetch(bench.url())).status).toBe(502);
    await applyTo(bench, plain(toHello), group(''));
    expect(await answers()).toEqual(['http']);
  });

  test('a file that cannot be used refuses the whole change', async () => {
    const shop = new Shop();
    const bench = await start(shop.secure(fixed('old')));
    const port = bench.port();
    const broken = shop.files.write('broken.key', 'no key');
    const bad = `, { cert: ${shop.b.cert}, key: ${broken} }`;
    const both = `${shop.secure(fixed('new'), { also: bad })}, ${plain(fixed('x'), 0, 'more')}`;
    const where =
      /lb\.yaml:2:\d+: listeners\[0\]\.tls\.certificates\[1\]\.key: bad file, got ".*broken\.key/;
    expect(await applyTo(bench, both)).toEqual({
      result: 'refused',
      errors: [expect.stringMatching(where)],
    });
    expect(Object.keys(bench.balancer.addresses.listeners)).toEqual(['web']);
    expect(await shop.ask(port)).toBe('old');
    expect(await shop.shown(port, 'b.test')).toBe('CN=a.test');
    // The same for what fails only later.
    const taken = new URL(bench.admin).port;
    const also = `, ${pair(shop.b)}`;
    const later = `${shop.secure(fixed('new'), { also })}, ${plain(fixed('x'), Number(taken), 'more')}`;
    expect(await applyTo(bench, later)).toMatchObject({ result: 'refused' });
    expect(await shop.shown(port, 'b.test')).toBe('CN=a.test');
    expect(await shop.ask(port)).toBe('old');
    expect(await applyTo(bench, shop.secure(fixed('new'), { also }))).not.toHaveProperty('errors');
    expect(await shop.shown(port, 'b.test')).toBe('CN=b.test');
  });

  test('whatever of TLS changes under load: no request fails', async () => {
    const shop = new Shop();
    const target = () =>
      startDualTarget(
        shop.files.authority.issue({ names: ['hello.default.rollcall'] }),
        (asked, response) => asked.resume().on('end', () => response.end('ok')),
      );
    const source = new FakeSource([endpoint(await target()), endpoint(await target())]);
    const group = (rest = '') => ({ targetGroups: `{ hello: { service: hello${rest} } }` });
    const overTls = group(`, scheme: https, tls: { ca: ${shop.files.ca} }`);
    const also = `, ${pair(shop.b)}`;
    const other = (rest: string) => plain(rest, 0, 'other');
    const variants: [string, object][] = [
      [`${shop.secure(toHello)}, ${other(toHello)}`, group()],
      [`${shop.secure(toHello, { also })}, ${other(toHello)}`, overTls],
      [
        `${shop.secure(toHello, { more: ', minVersion: TLSv1.3' })}, ${other(toHello)}, ${shop.secure(fixed('x'), { name: 'third' })}`,
        group(`, scheme: https, tls: { insecureSkipVerify: true }`),
      ],
      [
        `${shop.secure(toHello, { more: `, verifyClient: optional, clientCa: ${shop.files.ca}` })}, ${other(toHello)}, ${plain(fixed('x'), 0, 'third')}`,
        group(),
      ],
    ];
    const bench = await start(...variants[0]!, { openSource: () => source });
    const tls = { ca: shop.files.authority.cert, servername: 'a.test' };
    const loads = [new MixedLoad(bench.url(), 1, { tls }), new MixedLoad(bench.url('other'), 1)];
    onTestFinished(async () => void (await Promise.all(loads.map((load) => load.stop()))));
    const answered = () => loads.reduce((sum, load) => sum + load.answered, 0);
    for (let i = 1; i <= 16; i++) {
      const goal = answered() + 60;
      expect(await applyTo(bench, ...variants[i % variants.length]!)).not.toHaveProperty('errors');
      await expect.poll(answered, WAIT).toBeGreaterThan(goal);
      expect(loads.map(({ others }) => others)).toEqual(['', '']);
    }
    for (const load of loads) {
      await load.stop();
      expect(load.others).toBe('');
      expect(load.fewest).toBeGreaterThan(50);
    }
  });
});

test('a file that is spoiled after the configuration was read', async () => {
  const shop = new Shop();
  class Spoiling extends ConfigFile {
    spoils = '';

    override load() {
      const loaded = super.load();
      if (this.spoils !== '') writeFileSync(this.spoils, 'nonsense');
      return loaded;
    }
  }
  const bench = new FileBench();
  bench.write({ listeners: `[${shop.secure(fixed('old'))}]` });
  const source = new Spoiling(bench.file, {});
  const started = await FileBench.start(
    { listeners: `[${shop.secure(fixed('old'))}]` },
    { source },
  );
  const attempt = (listeners: string, targetGroups = '{}') => {
    bench.write({ listeners: `[${listeners}]`, targetGroups });
    return started.balancer.reload('test');
  };
  source.spoils = shop.b.key;
  const also = `, ${pair(shop.b)}`;
  expect(await attempt(shop.secure(fixed('new'), { also }))).toMatchObject({
    errors: [expect.stringMatching(/lb\.yaml:2:\d+: .*b\.key: expected a private key \(PEM\)/)],
  });
  source.spoils = shop.files.ca;
  const group = `{ hello: { service: hello, scheme: https, tls: { ca: ${shop.files.ca} } } }`;
  expect(await attempt(shop.secure(fixed('new')), group)).toMatchObject({
    errors: [expect.stringMatching(/lb\.yaml:3:\d+: .*ca\.pem: expected certificates of auth/)],
  });
  expect(await shop.ask(started.port())).toBe('old');
});

test('bounds of handshakes hold from the change on', async () => {
  const shop = new Shop();
  const bench = await FileBench.start({ listeners: `[${shop.secure(fixed('x'))}]` });
  const port = bench.port();
  await bench.apply({
    listeners: `[${shop.secure(fixed('x'))}]`,
    more: 'timeouts: { handshakeMs: 300 }',
  });
  const silent = await RawClient.connect(port);
  await silent.until(() => silent.isClosed);
  expect(await shop.ask(port)).toBe('x');
});

test('a target group with TLS for another service is another group', async () => {
  const shop = new Shop();
  const names = ['hello.default.rollcall'];
  const port = await startDualTarget(shop.files.authority.issue({ names }), (_, response) =>
    response.end('ok'),
  );
  const source = new FakeSource([endpoint(port)]);
  const parts = (service: string) => ({
    listeners: `[${plain(toHello)}]`,
    targetGroups: `{ hello: { service: ${service}, scheme: https, tls: { ca: ${shop.files.ca} } } }`,
  });
  const bench = await FileBench.start(parts('hello'), { openSource: () => source });
  expect(await text(bench.url())).toBe('ok');
  await bench.apply(parts('stock'));
  // The name of the service is another one, and so the certificate is wrong.
  expect((await fetch(bench.url())).status).toBe(502);
  await bench.apply({ ...parts('hello'), listeners: `[${plain(toHello)}]` });
  expect(await text(bench.url())).toBe('ok');
});
