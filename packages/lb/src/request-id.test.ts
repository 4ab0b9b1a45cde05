import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { RawClient } from '@rollcall/dataplane/testing';
import { expect, onTestFinished, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';

const NEW_ID = /^[0-9a-f]{32}$/;
const RULES = `
    { path: /none, fixedResponse: { status: 410 } },
    { path: /empty, targetGroup: empty },
    { path: /own, targetGroup: hello, requestHeaders: { set: { X-Request-Id: theirs } }, responseHeaders: { remove: [x-request-id] } }`;

class IdBench {
  readonly seen: IncomingHttpHeaders[] = [];
  readonly log = join(new FileBench().folder, 'access.log');
  bench!: FileBench;

  static async start(settings: string, rules = RULES): Promise<IdBench> {
    const ids = new IdBench();
    const port = await startTarget((request, response) => {
      ids.seen.push(request.headers);
      request.resume();
      response.setHeader('X-Request-Id', 'from the target').end('ok');
    });
    const sources = new Map([['hello', new FakeSource([endpoint(port)])]]);
    ids.bench = await FileBench.start(ids.parts(settings, rules), {
      openSource: ({ service }) => sources.get(service!) ?? new FakeSource([]),
    });
    return ids;
  }

  parts(settings: string, rules = RULES) {
    return {
      listeners: `[{ name: web, port: 0, default: { targetGroup: hello }, rules: [${rules}] }]`,
      targetGroups: '{ hello: { service: hello }, empty: { service: empty } }',
      more: `accessLog: ${this.log}\n${settings}`,
    };
  }

  /** Resolves when so many requests were logged. */
  async logged(count: number): Promise<void> {
    await expect.poll(() => this.#lines().length).toBe(count);
  }

  /** The ids in the answer, in the request of the target if it got one, and in the log. */
  async ask(path = '/', headers: Record<string, string> = {}) {
    const before = this.#lines().length;
    const known = this.seen.length;
    const reply = await fetch(this.bench.url() + path, { headers });
    await reply.text();
    await expect.poll(() => this.#lines().length).toBe(before + 1);
    const { requestId } = JSON.parse(this.#lines().at(-1)!) as { requestId?: string };
    const answered = reply.headers.get('x-request-id');
    return { answered, target: this.seen[known]?.['x-request-id'], logged: requestId };
  }

  #lines(): string[] {
    return readFileSync(this.log, 'utf8').split('\n').slice(0, -1);
  }
}

test('without the option nothing is changed', async () => {
  const bench = await IdBench.start('');
  expect(await bench.ask('/', { 'x-request-id': 'mine, "1"' })).toEqual({
    answered: 'from the target',
    target: 'mine, "1"',
    logged: undefined,
  });
});

test.each(['', 'workers: 2'])(
  'each request has its own id, everywhere the same: %s',
  async (workers) => {
    const bench = await IdBench.start(`requestId: {}\n${workers}`);
    const all = new Set<string>();
    for (const path of ['/', '/', '/none', '/empty']) {
      const { answered, target, logged } = await bench.ask(path, { 'x-request-id': 'mine' });
      expect(answered).toMatch(NEW_ID);
      expect(logged).toBe(answered);
      expect(target).toBe(path === '/' ? answered : undefined);
      all.add(answered!);
    }
    expect(all.size).toBe(4);
    const bad = await RawClient.exchange(bench.bench.port(), 'NO HTTP\r\n\r\n');
    expect(bad).toMatch(/^HTTP\/1\.1 400 [^]*\r\nx-request-id: [0-9a-f]{32}\r\n/);
    await bench.logged(5);
    // What a rule says of the field goes first.
    const own = await bench.ask('/own');
    expect(own).toMatchObject({
      answered: null,
      target: 'theirs',
      logged: expect.stringMatching(NEW_ID) as string,
    });
    await bench.bench.apply(bench.parts(workers));
    await expect.poll(async () => (await bench.ask('/')).answered).toBe('from the target');
  },
);

test.each<[settings: string, isKept: boolean]>([
  ['requestId: { trust: true }', true],
  ['requestId: {}\ntrustForwarded: true', true],
  ['requestId: { trust: [127.0.0.0/8] }', true],
  ['requestId: { trust: [10.0.0.0/8, "2001:db8::/32"] }\ntrustForwarded: true', false],
  ['requestId: { trust: false }\ntrustForwarded: true', false],
  ['requestId: {}', false],
])('%j keeps an id: %s', async (settings, isKept) => {
  const bench = await IdBench.start(settings);
  const { answered, target, logged } = await bench.ask('/', { 'x-request-id': 'mine:1/a+b=' });
  if (isKept) expect(answered).toBe('mine:1/a+b=');
  else expect(answered).toMatch(NEW_ID);
  expect([target, logged]).toEqual([answered, answered]);
});

test('bad ones are replaced, whoever sends them, and no other name gets them in', async () => {
  const bench = await IdBench.start('requestId: { trust: true }\nunderscoresInHeaders: true');
  const lines = [
    'X-Request-Id: ',
    'X-Request-Id: a b',
    'X-Request-Id: a"b',
    'X-Request-Id: é',
    `X-Request-Id: ${'a'.repeat(129)}`,
    'X-Request-Id: a\r\nx-request-id: b',
    'X_Request_Id: a',
    'X-Request_Id: a\r\nX_Request-Id: b',
  ];
  for (const line of lines) {
    const text = `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\nConnection: close\r\n\r\n`;
    const answer = await RawClient.exchange(bench.bench.port(), text);
    expect(answer).toMatch(/\r\nx-request-id: [0-9a-f]{32}\r\n/);
    const headers = bench.seen.at(-1)!;
    expect(headers['x-request-id']).toMatch(NEW_ID);
    expect(Object.keys(headers).filter((name) => /^x.request.id$/.test(name))).toHaveLength(1);
  }
  const long = 'a'.repeat(128);
  const named = `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${long}\r\nConnection: close, x-request-id\r\n\r\n`;
  expect(await RawClient.exchange(bench.bench.port(), named)).toContain(
    `x-request-id: ${long}\r\n`,
  );
  expect(bench.seen.at(-1)!['x-request-id']).toBe(long);
});

test('another field', async () => {
  const bench = await IdBench.start('requestId: { header: X-Correlation-Id, trust: true }');
  const headers = { 'x-correlation-id': 'c1', 'x-request-id': 'r1' };
  const { answered, target, logged } = await bench.ask('/', headers);
  expect({ answered, target, logged }).toEqual({
    answered: 'from the target',
    target: 'r1',
    logged: 'c1',
  });
  expect(bench.seen.at(-1)!['x-correlation-id']).toBe('c1');
});

test('every try has the same id, and so has whoever is asked for permission', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const auth = await startTarget((request, response) => {
    asked.push(request.headers);
    response.end();
  });
  const rule = `{ path: /auth, forwardAuth: { url: "http://127.0.0.1:${auth}/" }, targetGroup: hello }`;
  const bench = await IdBench.start('requestId: {}', rule);
  const { answered, target } = await bench.ask('/auth', { 'x-request-id': 'mine' });
  expect(answered).toMatch(NEW_ID);
  expect(target).toBe(answered);
  expect(asked[0]!['x-request-id']).toBe(answered);
});

test('a WebSocket gets it with the answer that opens it', async () => {
  const target = createServer().listen(0, '127.0.0.1');
  await once(target, 'listening');
  onTestFinished(() => void target.close());
  const seen: IncomingHttpHeaders[] = [];
  target.on('upgrade', ({ headers }, socket) => {
    seen.push(headers);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    socket.end(`${lines.join('\r\n')}\r\n\r\nbye`);
  });
  const source = new FakeSource([endpoint((target.address() as AddressInfo).port)]);
  const parts = new IdBench().parts('requestId: {}');
  const bench = await FileBench.start(parts, { openSource: () => source });
  const open = 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const client = await RawClient.connect(bench.port());
  client.send(open);
  await expect.poll(() => client.text).toContain('bye');
  const [, id] = /\r\nx-request-id: (\S+)\r\n/.exec(client.text) ?? [];
  expect(id).toMatch(NEW_ID);
  expect(seen[0]!['x-request-id']).toBe(id);
  client.socket.destroy();
});

test.each([
  ['{ header: host }', 'expected the name of a header field that has no other meaning'],
  ['{ header: "a b" }', 'expected the name of a header field that has no other meaning'],
  ['{ trust: [nonsense] }', 'requestId.trust[0]: bad value, got "nonsense", expected a network'],
])('%s is refused', async (settings, text) => {
  const bench = await IdBench.start('');
  expect(await bench.bench.apply(bench.parts(`requestId: ${settings}`))).toMatchObject({
    result: 'refused',
    errors: [expect.stringContaining(text)],
  });
});
