import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { hashPassword } from './passwords/password-file.ts';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';
import { RawClient } from '@rollcall/dataplane/testing';
import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A target that answers with what it has seen. */
const echo: RequestListener = (request, response) => {
  const { method, url, headers } = request;
  request.resume().on('end', () => response.end(JSON.stringify({ method, url, headers })));
};

/** A balancer with these rules; each of its groups a and b has targets that answer with their names. */
async function start(rules: string, more = '', groupMore = '') {
  const sources: Record<string, FakeSource> = {};
  for (const name of ['a', 'b']) {
    const ports = [await startTarget(`${name}1`), await startTarget(`${name}2`)];
    sources[name] = new FakeSource(ports.map((port) => endpoint(port)));
  }
  sources['echo'] = new FakeSource([endpoint(await startTarget(echo))]);
  const parts = {
    listeners: `[{ name: web, port: 0, rules: ${rules}, default: { targetGroup: echo } }]`,
    targetGroups: `{ a: { service: a ${groupMore} }, b: { service: b ${groupMore} }, echo: { service: echo } }`,
    more,
  };
  const bench = await FileBench.start(parts, { openSource: ({ service }) => sources[service!]! });
  return { bench, parts, sources };
}

async function seen(url: string, init?: RequestInit): Promise<Seen> {
  return (await (await fetch(url, init)).json()) as Seen;
}

async function startServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('method, header, query and source choose', async () => {
  const { bench } = await start(`[
    { methods: [DELETE], fixedResponse: { status: 405 } },
    { headers: { x-beta: 'yes' }, fixedResponse: { status: 200, body: beta } },
    { headers: { x-beta: { regex: 'v[0-9]+' } }, fixedResponse: { status: 200, body: version } },
    { query: { debug: { present: true } }, fixedResponse: { status: 200, body: debug } },
    { path: /local, sources: [127.0.0.0/8], fixedResponse: { status: 200, body: local } },
    { path: /far, sources: [10.0.0.0/8], fixedResponse: { status: 200, body: far } }]`);
  const url = bench.url();
  const text = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).text();
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(405);
  expect(await text('/', { headers: { 'X-Beta': 'yes' } })).toBe('beta');
  expect(await text('/', { headers: { 'X-Beta': 'v12' } })).toBe('version');
  expect(await text('/?a=1&debug')).toBe('debug');
  expect(await text('/local')).toBe('local');
  expect(await text('/far')).toContain('"url":"/far"');
});

test('rules see the normal form of a path, and targets what the rules saw', async () => {
  const { bench } = await start('[{ path: /admin/*, fixedResponse: { status: 403, body: no } }]');
  const statusOf = async (path: string) => {
    const text = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    return (await RawClient.exchange(bench.port(), text)).split('\r\n\r\n');
  };
  for (const path of ['/admin', '/%61dmin/x', '//admin', '/x/../admin', '/x/%2e%2e/admin/./y'])
    expect((await statusOf(path))[1]).toBe('no');
  for (const path of ['/x%2f..%2fadmin', '/../admin', '/x\\..\\admin'])
    expect((await statusOf(path))[0]).toMatch(/^HTTP\/1\.1 400 /);
  expect((await statusOf('/a/../b?q=/../c'))[1]).toContain('"url":"/b?q=/../c"');
  expect((await statusOf('/a%2Db/%C3%A9//c'))[1]).toContain('"url":"/a%2Db/%C3%A9//c"');
});

test('a rule rewrites host, path and fields', async () => {
  const { bench } = await start(`[
    { path: /api/*, targetGroup: echo, rewrite: { prefix: /v2, host: inner.test },
      requestHeaders: { set: { X-Team: shop }, remove: [Cookie] },
      responseHeaders: { add: { X-Served-By: lb }, remove: [Date] } },
    { path: { regex: '/u/([0-9]+)/(.*)' }, targetGroup: echo, rewrite: { path: '/users/$2/$1' } },
    { path: /strip/*, targetGroup: echo, rewrite: { prefix: / } }]`);
  const reply = await fetch(`${bench.url()}/api/x?q=1`, {
    headers: { cookie: 'a=b', 'x-team': 'mine' },
  });
  const { url, headers } = (await reply.json()) as Seen;
  expect(url).toBe('/v2/x?q=1');
  expect(headers).toMatchObject({ host: 'inner.test', 'x-team': 'shop' });
  expect(headers['x-forwarded-host']).toBe(new URL(bench.url()).host);
  expect(headers).not.toHaveProperty('cookie');
  expect(reply.headers.get('x-served-by')).toBe('lb');
  expect((await seen(`${bench.url()}/u/12/a/b?c`)).url).toBe('/users/a/b/12?c');
  expect((await seen(`${bench.url()}/strip/a`)).url).toBe('/a');
  expect((await seen(`${bench.url()}/strip`)).url).toBe('/');
});

test('the access log names the rule', async () => {
  const bench = new FileBench();
  const log = join(bench.folder, 'access.log');
  const { bench: balancer } = await start(
    '[{ name: old, path: /old, fixedResponse: { status: 410 } }, { path: /x, targetGroup: echo }]',
    `accessLog: ${log}`,
  );
  for (const path of ['/old', '/x', '/other']) await fetch(balancer.url() + path);
  const rules = () =>
    readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { rule: string }).rule);
  await expect.poll(rules).toEqual(['old', 'rules[1]', 'default']);
});

test('redirects to other paths and hosts', async () => {
  const { bench } = await start(`[
    { path: /old/*, redirect: { prefix: /new, status: 302 } },
    { path: /away, redirect: { scheme: https, host: shop.example, path: /here, query: a=b } }]`);
  const locationOf = async (path: string) => {
    const reply = await fetch(bench.url() + path, { redirect: 'manual' });
    return [reply.status, reply.headers.get('location')];
  };
  expect(await locationOf('/old/x?y')).toEqual([302, `${bench.url()}/new/x?y`]);
  expect(await locationOf('/away?x')).toEqual([301, 'https://shop.example/here?a=b']);
});

const CANARY = `[{ path: /c, forward: [{ targetGroup: a, weight: 9 }, { targetGroup: b, weight: 1 }] }]`;

test('a canary gets its share, and a client keeps its group', async () => {
  const { bench } = await start(
    CANARY.replace('}] }]', '}], groupStickiness: { cookie: side, maxAgeMs: 5000 } }]'),
  );
  const url = `${bench.url()}/c`;
  const counts = { a: 0, b: 0 };
  let sticky: { cookie: string; group: string } | undefined;
  for (let i = 0; i < 400; i++) {
    const reply = await fetch(url);
    const group = (await reply.text())[0] as 'a' | 'b';
    counts[group]++;
    const [line = ''] = reply.headers.getSetCookie();
    expect(line).toMatch(/^side=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=5$/);
    if (group === 'b') sticky = { cookie: line.split(';')[0]!, group };
  }
  // With a share of a tenth: mean 40, and six times the deviation of 6.
  expect(counts.b).toBeGreaterThan(4);
  expect(counts.b).toBeLessThan(76);
  const headers = { cookie: `x=y; ${sticky!.cookie}` };
  for (let i = 0; i < 20; i++) {
    const reply = await fetch(url, { headers });
    expect((await reply.text())[0]).toBe('b');
    expect(reply.headers.getSetCookie()).toEqual([]);
  }
  const forged = {
    cookie: `side=${Buffer.from('b').toString('base64url')}.AAAAAAAAAAAAAAAAAAAAAA`,
  };
  expect((await fetch(url, { headers: forged })).headers.getSetCookie()).toHaveLength(1);
});

test('a client keeps its target, over changes and workers, until that leaves', async () => {
  const { bench, parts, sources } = await start(
    '[{ path: /s, targetGroup: a }]',
    'workers: 2',
    ', stickiness: { maxAgeMs: 0 }',
  );
  const first = await fetch(`${bench.url()}/s`);
  const target = await first.text();
  const [line = ''] = first.headers.getSetCookie();
  expect(line).toMatch(/^rollcall-a=\S+; Path=\/; HttpOnly; SameSite=Lax$/);
  const headers = { cookie: line.split(';')[0]!, connection: 'close' };
  const again = async () => (await fetch(`${bench.url()}/s`, { headers })).text();
  for (let i = 0; i < 20; i++) expect(await again()).toBe(target);
  await bench.apply({ ...parts, more: 'workers: 3\ntrustForwarded: true' });
  for (let i = 0; i < 20; i++) expect(await again()).toBe(target);
  const [one, two] = sources['a']!.endpoints()!;
  const other = target === 'a1' ? two! : one!;
  sources['a']!.show(other);
  await expect.poll(again).not.toBe(target);
});

test.each([
  ['source', '{ by: source }', {}],
  ['a field', '{ by: { header: X-User } }', { 'x-user': 'me' }],
  ['a cookie of the application', '{ by: { cookie: sid } }', { cookie: 'a=b; sid=42' }],
])('clients are told apart by %s', async (_name, stickiness, headers) => {
  const { bench } = await start(
    '[{ path: /s, targetGroup: a }]',
    '',
    `, stickiness: ${stickiness}`,
  );
  const answers = new Set<string>();
  for (let i = 0; i < 20; i++)
    answers.add(
      await (
        await fetch(`${bench.url()}/s`, { headers: headers as Record<string, string> })
      ).text(),
    );
  expect(answers.size).toBe(1);
});

test('users with passwords', async () => {
  const bench = new FileBench();
  const usersFile = join(bench.folder, 'users');
  writeFileSync(usersFile, `# who\nann:${await hashPassword('s:ecret')}\n`);
  const { bench: balancer } = await start(
    `[{ path: /p, targetGroup: echo, basicAuth: { usersFile: ${usersFile}, realm: shop } }]`,
  );
  const ask = (credentials?: string) =>
    fetch(`${balancer.url()}/p`, {
      headers:
        credentials === undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    });
  const refused = await ask();
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toBe('Basic realm="shop", charset="UTF-8"');
  expect((await ask('ann:wrong')).status).toBe(401);
  expect((await ask('bob:s:ecret')).status).toBe(401);
  for (let i = 0; i < 3; i++) {
    const reply = await ask('ann:s:ecret');
    expect(reply.status).toBe(200);
    expect(((await reply.json()) as Seen).headers).not.toHaveProperty('authorization');
  }
});

async function startIssuer() {
  const state = { keys: [] as object[], asked: 0 };
  const url = await startServer((_, response) => {
    state.asked++;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: state.keys }));
  });
  const addKey = async (kid: string) => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    state.keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
    return (claims: object, expiry = '1h') =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer('https://id.test')
        .setAudience('shop')
        .setExpirationTime(expiry)
        .sign(privateKey);
  };
  return { url, state, addKey };
}

test('tokens, with keys that are fetched once', async () => {
  const issuer = await startIssuer();
  const sign = await issuer.addKey('one');
  const { bench } = await start(`[{ path: /j, targetGroup: echo,
    jwt: { jwks: ${issuer.url}/keys, issuer: https://id.test, audience: shop, forward: { sub: X-User } } }]`);
  const ask = (token?: string) =>
    fetch(`${bench.url()}/j`, {
      headers: {
        'x-user': 'forged',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
  expect((await ask()).status).toBe(401);
  const good = await sign({ sub: 'ann' });
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(good)));
  for (const reply of replies) {
    expect(reply.status).toBe(200);
    expect(((await reply.json()) as Seen).headers['x-user']).toBe('ann');
  }
  expect(issuer.state.asked).toBe(1);
  expect((await ask(await sign({ sub: 'ann' }, '-1h'))).status).toBe(401);
  expect((await ask(`${good.slice(0, -6)}AAAAAA`)).status).toBe(401);
  // A key that is not known: it is looked for once, however many ask.
  const stranger = await startIssuer();
  const foreign = await (await stranger.addKey('unknown'))({ sub: 'eve' });
  const strange = await Promise.all(Array.from({ length: 20 }, () => ask(foreign)));
  expect(new Set(strange.map(({ status }) => status))).toEqual(new Set([401]));
  expect(issuer.state.asked).toBe(2);
  // Nor are they asked for again soon.
  expect((await ask(foreign)).status).toBe(401);
  expect(issuer.state.asked).toBe(2);
});

test('an issuer that changes its keys is understood at once', async () => {
  const issuer = await startIssuer();
  const { bench } = await start(`[{ path: /j, targetGroup: echo,
    jwt: { jwks: ${issuer.url}/keys, issuer: https://id.test, audience: shop } }]`);
  const statusOf = async (token: string) =>
    (await fetch(`${bench.url()}/j`, { headers: { authorization: `Bearer ${token}` } })).status;
  for (let change = 1; change <= 3; change++) {
    const sign = await issuer.addKey(`key ${change}`);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => statusOf(await sign({ sub: `user ${at}` }))),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(issuer.state.asked).toBe(change);
  }
});

test('without its keys nobody is let in, and the log says why', async () => {
  const { bench } = await start(
    '[{ path: /j, targetGroup: echo, jwt: { jwks: "http://127.0.0.1:1/", issuer: x } }]',
  );
  const stranger = await startIssuer();
  const token = await (await stranger.addKey('a'))({});
  const reply = await fetch(`${bench.url()}/j`, { headers: { authorization: `Bearer ${token}` } });
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({ code: 'keys_unavailable' });
});

test('somebody else is asked', async () => {
  const asked: IncomingMessage['headers'][] = [];
  const auth = await startServer((request, response) => {
    asked.push(request.headers);
    const { cookie } = request.headers;
    if (cookie === 'sid=1') response.setHeader('X-User', 'ann').end();
    else if (cookie === 'sid=2') response.writeHead(500).end();
    else response.writeHead(302, { location: 'https://login.test/' }).end('to the login');
  });
  const { bench } = await start(
    `[{ path: /f/*, targetGroup: echo, forwardAuth: { url: ${auth}/check, forward: [X-User] } }]`,
  );
  const ask = (cookie: string) =>
    fetch(`${bench.url()}/f/x?y`, {
      method: 'POST',
      body: 'a body',
      redirect: 'manual',
      headers: { cookie, 'x-user': 'forged' },
    });
  const passed = await ask('sid=1');
  expect(await passed.json()).toMatchObject({ method: 'POST', headers: { 'x-user': 'ann' } });
  expect(asked[0]).toMatchObject({ 'x-forwarded-method': 'POST', 'x-forwarded-uri': '/f/x?y' });
  const refused = await ask('sid=3');
  expect([refused.status, refused.headers.get('location'), await refused.text()]).toEqual([
    302,
    'https://login.test/',
    'to the login',
  ]);
  expect((await ask('sid=2')).status).toBe(503);
});

test('long bodies are refused', async () => {
  const { bench } = await start('[{ path: /b, targetGroup: echo, bodyBytes: 10 }]');
  const status = async (length: number) =>
    (await fetch(`${bench.url()}/b`, { method: 'POST', body: 'x'.repeat(length) })).status;
  expect(await status(10)).toBe(200);
  expect(await status(11)).toBe(413);
});

test.each([
  [
    'a regular expression that is none',
    "{ path: { regex: '/(a' }, targetGroup: a }",
    'path: bad regular expression: error parsing regexp: missing closing )',
  ],
  [
    'one with look-ahead',
    "{ headers: { x: { regex: 'a(?=b)' } }, targetGroup: a }",
    'headers.x.regex: bad regular expression',
  ],
  [
    'a path in another form',
    '{ path: /%61, targetGroup: a }',
    'path: not in its normal form, got "/%61", expected /a',
  ],
  [
    'no group with a weight',
    '{ forward: [{ targetGroup: a, weight: 0 }] }',
    'forward: bad weights',
  ],
  [
    'a group that there is not',
    '{ forward: [{ targetGroup: c }] }',
    'forward[0].targetGroup: no such target group, got "c"',
  ],
  [
    'a prefix without a prefix',
    '{ path: /x, targetGroup: a, rewrite: { prefix: /y } }',
    'rewrite.prefix: the rule is for no prefix',
  ],
  [
    'a rewrite of nothing',
    '{ path: /x, fixedResponse: { status: 200 }, rewrite: { path: /y } }',
    'rewrite: of no use',
  ],
  [
    'a depth of a host without wildcard',
    '{ host: a.test, hostDepth: one, targetGroup: a }',
    'hostDepth: of no use',
  ],
  [
    'a field that frames',
    '{ targetGroup: a, requestHeaders: { set: { Content-Length: "1" } } }',
    'requestHeaders.set.Content-Length: bad name',
  ],
  [
    'a file that is not there',
    '{ targetGroup: a, basicAuth: { usersFile: /nowhere } }',
    'basicAuth.usersFile: bad file, got "/nowhere"',
  ],
  [
    'a symmetric algorithm',
    '{ targetGroup: a, jwt: { jwks: "http://a/", issuer: i, algorithms: [HS256] } }',
    'jwt.algorithms[0]: bad value',
  ],
  [
    'a bad network',
    '{ targetGroup: a, sources: [10.0.0.0] }',
    'sources[0]: bad value, got "10.0.0.0"',
  ],
])('%s is refused, with its place', async (_name, rule, expected) => {
  const { bench, parts } = await start('[]');
  const result = await bench.apply({
    ...parts,
    listeners: parts.listeners.replace('rules: []', `rules: [${rule}]`),
  });
  expect(result).toMatchObject({ result: 'refused' });
  const { errors } = result as { errors: readonly string[] };
  expect(errors.join('\n')).toMatch(/lb\.yaml:2:\d+: listeners\[0\]\.rules\[0\]/);
  expect(errors.join('\n')).toContain(expected);
});
