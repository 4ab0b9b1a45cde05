import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { freePort } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { FakeSource, endpoint } from './testing/fake-source.ts';
import { FileBench, type FileParts, startTarget } from './testing/file-bench.ts';
import { MixedLoad } from './testing/load.ts';
import { RawClient } from '@rollcall/dataplane/testing';

const WAIT = { timeout: 30_000 };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const web = (rest: string, port = 0) => `[{ name: web, port: ${port}, ${rest} }]`;
const fixed = (body: string) => `default: { fixedResponse: { status: 200, body: ${body} } }`;
const toHello = 'default: { targetGroup: hello }';
const hello = (settings = '') => `{ hello: { service: hello ${settings} } }`;
const text = async (url: string) => (await fetch(url)).text();

test('fifty changes of everything under load: no request fails', async () => {
  const source = new FakeSource([
    endpoint(await startTarget('ok')),
    endpoint(await startTarget('ok')),
  ]);
  const other = await freePort();
  const variants: FileParts[] = [
    { listeners: web(toHello), targetGroups: hello() },
    {
      listeners: `[{ name: web, port: 0, rules: [{ path: /old, fixedResponse: { status: 410 } }], ${toHello} },
        { name: other, port: ${other}, ${fixed('x')} }]`,
      targetGroups: `{ hello: { service: hello, policy: p2c, healthCheck: { intervalMs: 50 } }, more: { service: more } }`,
      more: 'timeouts: { responseMs: 30000 }\nlimits: { headBytes: 65536, fieldCount: 64 }\nunderscoresInHeaders: true',
    },
    {
      // The same name for other targets: another group.
      listeners: web(toHello),
      targetGroups: '{ hello: { service: hello, namespace: shop, deregistrationDelayMs: 10000 } }',
      more: 'trustForwarded: true',
    },
  ];
  const bench = await FileBench.start(variants[0]!, { openSource: () => source });
  const port = bench.port();
  const load = new MixedLoad(bench.url());
  onTestFinished(() => load.stop());
  for (let i = 1; i <= 50; i++) {
    const goal = load.answered + 50;
    expect(await bench.apply(variants[i % variants.length]!)).not.toHaveProperty('errors');
    await expect.poll(() => load.answered, WAIT).toBeGreaterThan(goal);
    expect(load.others).toBe('');
  }
  await load.stop();
  expect(load.others).toBe('');
  expect(load.fewest).toBeGreaterThan(250);
  expect(bench.port()).toBe(port);
});

test('an open connection gets the new rules with its next request', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('one')) });
  const client = await RawClient.connect(bench.port());
  client.send(GET);
  await client.untilText('one');
  const result = await bench.apply({ listeners: web(fixed('two')) });
  expect(result).toEqual({ result: 'applied', changes: ['listener web changed'] });
  client.send(GET);
  await client.untilText('two');
  expect(client.text).not.toContain('Connection: close');
  client.close();
});

test('listeners are added, renamed, moved and removed; requests of removed ones finish', async () => {
  const held: ServerResponse[] = [];
  const source = new FakeSource([
    endpoint(await startTarget((_, response) => void held.push(response))),
  ]);
  const targetGroups = hello();
  const bench = await FileBench.start(
    { listeners: web(toHello), targetGroups },
    { openSource: () => source },
  );
  const old = bench.url();
  const slow = text(old);
  await expect.poll(() => held.length, WAIT).toBe(1);
  const [one, two] = [await freePort(), await freePort()];
  await bench.apply({ listeners: web(fixed('moved'), one), targetGroups });
  expect(await text(bench.url())).toBe('moved');
  await expect.poll(() => text(old).catch(String), WAIT).toContain('fetch failed');
  held[0]!.end('finished');
  expect(await slow).toBe('finished');
  // Another name for the same socket, and one more.
  const client = await RawClient.connect(one);
  await bench.apply({
    listeners: `[{ name: a, port: ${one}, ${fixed('a')} }, { name: b, port: ${two}, ${fixed('b')} }]`,
  });
  client.send(GET);
  await client.untilText('\r\n\r\na');
  client.close();
  expect(Object.keys(bench.balancer.addresses.listeners)).toEqual(['a', 'b']);
  // They change places.
  await bench.apply({
    listeners: `[{ name: a, port: ${two}, ${fixed('a')} }, { name: b, port: ${one}, ${fixed('b')} }]`,
  });
  expect(await text(`http://127.0.0.1:${two}`)).toBe('a');
  expect(await text(`http://127.0.0.1:${one}`)).toBe('b');
});

test('a listener that moves to all addresses of the machine needs the port that it has', async () => {
  const port = await freePort();
  const at = (host: string, body: string) =>
    `[{ name: web, host: ${host}, port: ${port}, ${fixed(body)} }]`;
  const bench = await FileBench.start({ listeners: at('127.0.0.1', 'one') });
  expect(await bench.apply({ listeners: at('0.0.0.0', 'all') })).not.toHaveProperty('errors');
  expect(await text(`http://127.0.0.2:${port}`)).toBe('all');
  // Something else is wrong besides: what was there before comes back.
  const taken = new URL(bench.admin).port;
  const both = at('127.0.0.3', 'x').replace(']', `, { name: more, port: ${taken} }]`);
  expect(await bench.apply({ listeners: both })).toMatchObject({ result: 'refused' });
  expect(await text(`http://127.0.0.2:${port}`)).toBe('all');
});

test('what is known of targets stays, whatever changes around it', async () => {
  let isWell = false;
  const sick = await startTarget((incoming, response) => {
    response.statusCode = incoming.url === '/health' && !isWell ? 500 : 200;
    response.end('sick');
  });
  const source = new FakeSource([endpoint(sick), endpoint(await startTarget('well')), endpoint(1)]);
  const check = '{ path: /health, intervalMs: 20, unhealthyThreshold: 1 }';
  const settings = `, healthCheck: ${check}, ejection: { baseMs: 60000, maxMs: 60000 }`;
  const parts = { listeners: web(toHello), targetGroups: hello(settings) };
  const bench = await FileBench.start(parts, { openSource: () => source });
  const states = () =>
    bench.balancer.groups[0]!.targets().map(({ standing, counters }) => {
      return [standing.state, counters.requests];
    });
  await expect.poll(() => states()[0]![0], WAIT).toBe('unhealthy');
  for (let i = 0; i < 4; i++) expect(await text(bench.url())).toBe('well');
  const before = states();
  const targets = bench.balancer.groups[0]!.targets();
  await bench.apply({
    ...parts,
    targetGroups: hello(`${settings}, policy: random`),
    more: 'timeouts: { connectMs: 500 }',
  });
  expect(states()).toEqual(before);
  expect(bench.balancer.groups[0]!.targets()).toEqual(targets);
  isWell = true;
  await expect.poll(() => states()[0]![0], WAIT).toBe('healthy');
});

test('a new group is asked for its targets before the first request goes there', async () => {
  const sources = new Map([['hello', new FakeSource([endpoint(await startTarget('hello'))])]]);
  const bench = await FileBench.start(
    { listeners: web(toHello), targetGroups: hello() },
    { openSource: ({ service }) => sources.get(service!)! },
  );
  const late = new FakeSource();
  sources.set('late', late);
  const applied = bench.apply({
    listeners: web('default: { targetGroup: late }'),
    targetGroups: '{ late: { service: late } }',
  });
  expect(await text(bench.url())).toBe('hello');
  late.show(endpoint(await startTarget('late')));
  await applied;
  expect(await text(bench.url())).toBe('late');
});

test.each<[string, FileParts | string, string]>([
  [
    'a wrong value',
    { listeners: web(`${fixed('new')}, rules: old`) },
    'lb.yaml:2:98: listeners[0].rules: bad value, got "old"',
  ],
  ['no YAML', 'listeners: [', 'lb.yaml:1:13: not YAML'],
  [
    'a group that is not there',
    { listeners: web(toHello) },
    'lb.yaml:2:59: listeners[0].default.targetGroup: no such target group, got "hello"',
  ],
  [
    'an address that is not of this machine',
    { listeners: `[{ name: web, host: 192.0.2.1, port: 1, ${fixed('new')} }]` },
    'lb.yaml:2:13: cannot listen on 192.0.2.1:1: this machine has no such address',
  ],
  [
    'a log that cannot be written',
    { listeners: web(fixed('new')), more: 'accessLog: /nowhere/log' },
    'accessLog /nowhere/log: cannot be opened',
  ],
  [
    'what only a start applies',
    { listeners: web(fixed('new')), more: 'io: net' },
    'lb.yaml:6:5: io: it cannot change while the balancer runs: restart it',
  ],
  [
    'two tokens',
    {
      listeners: web(fixed('new')),
      more: 'registry: { url: "http://127.0.0.1:1", token: a, tokenFile: TOKEN }',
    },
    'token and token file: expected at most one of them',
  ],
])('refused whole: %s', async (_, change, why) => {
  const bench = await FileBench.start({ listeners: web(fixed('old')) });
  const admin = new URL(bench.admin).port;
  const token = join(bench.folder, 'token');
  writeFileSync(token, 'secret');
  const prepared =
    typeof change === 'string'
      ? change
      : { ...change, more: change.more?.replace('TOKEN', token) ?? '' };
  const result = await bench.apply(prepared);
  expect(result).toMatchObject({ result: 'refused' });
  expect(JSON.stringify(result)).toContain(JSON.stringify(why).slice(1, -1));
  expect(bench.lines.at(-1)).toContain(why);
  expect(await text(bench.url())).toBe('old');
  expect(new URL(bench.admin).port).toBe(admin);
  expect(await bench.readyz()).toMatchObject({
    status: 'ready',
    configuration: { refused: expect.any(String), errors: [expect.stringContaining(why)] },
  });
  const metrics = await text(`${bench.admin}/metrics`);
  expect(metrics).toContain('rollcall_lb_config_reloads_total{result="refused"} 1\n');
  expect(metrics).toContain('rollcall_lb_config_is_refused 1\n');
  expect(await bench.apply({ listeners: web(fixed('new')) })).toMatchObject({ result: 'applied' });
  expect(await text(bench.url())).toBe('new');
  expect(await bench.readyz()).not.toHaveProperty('configuration.errors');
});

test('POST /reload says what changed, or what is wrong', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('one')) });
  const post = async (headers: Record<string, string> = {}) => {
    const reply = await fetch(`${bench.admin}/reload`, { method: 'POST', headers });
    return { status: reply.status, body: (await reply.json()) as object };
  };
  expect(await post()).toEqual({ status: 200, body: { result: 'applied', changes: [] } });
  bench.write({ listeners: web(fixed('two')), more: 'trustForwarded: true' });
  expect(await post({ origin: 'https://evil.example' })).toMatchObject({ status: 403 });
  expect(await text(bench.url())).toBe('one');
  expect(await post()).toEqual({
    status: 200,
    body: { result: 'applied', changes: ['listener web changed', 'trustForwarded changed'] },
  });
  expect(await text(bench.url())).toBe('two');
  bench.write('nonsense');
  expect(await post()).toMatchObject({
    status: 422,
    body: { code: 'config_refused', errors: [expect.stringContaining(`${bench.file}:1:1: file:`)] },
  });
});

test('a reload tells what is allowed but not meant, in the log and in its answer', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('one')) });
  const all = '{ priority: 1, fixedResponse: { status: 200, body: all } }';
  const never = '{ path: /a, fixedResponse: { status: 200, body: a } }';
  const listeners = `[{ name: web, port: 0, rules: [${all}, ${never}] }]`;
  const result = await bench.apply({ listeners });
  const warning = expect.stringMatching(
    /lb\.yaml:2:\d+: listeners\[0\]\.rules\[1\]: can never match, because .*rules\[0\] at .*lb\.yaml:2:\d+ goes/,
  ) as string;
  expect(result).toMatchObject({ result: 'applied', warnings: [warning] });
  expect(bench.lines).toContainEqual(warning);
  expect(await text(`${bench.url()}/a`)).toBe('all');
});

test('the admin port moves, answers the request that moves it, and takes other names', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('x')) });
  const old = bench.admin;
  const port = await freePort();
  bench.write({
    listeners: web(fixed('x')),
    more: `admin: { port: ${port}, allowHosts: [scraped] }`,
  });
  const moved = await fetch(`${old}/reload`, { method: 'POST' });
  expect(await moved.json()).toEqual({ result: 'applied', changes: ['admin changed'] });
  expect(bench.admin).toBe(`http://127.0.0.1:${port}`);
  const client = await RawClient.connect(port);
  client.send('GET /livez HTTP/1.1\r\nHost: scraped\r\n\r\n');
  await client.untilText(' 200 ');
  client.close();
  await expect.poll(() => text(`${old}/livez`).catch(String), WAIT).toContain('fetch failed');
  const more = `admin: { host: 127.0.0.2, port: ${port} }`;
  await bench.apply({ listeners: web(fixed('x')), more });
  expect(bench.lines.at(-1)).toContain('it cannot move to 127.0.0.2 and keep its port');
});

test('the access log is turned on and off, and its file opened anew after it was renamed', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('x')) });
  const log = join(bench.folder, 'access.log');
  const paths = (file: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { path: string }).path);
  const parts = { listeners: web(fixed('x')), more: `accessLog: ${log}` };
  await text(`${bench.url()}/off`);
  await bench.apply(parts);
  await text(`${bench.url()}/one`);
  await expect.poll(() => paths(log), WAIT).toEqual(['/one']);
  renameSync(log, `${log}.1`);
  await text(`${bench.url()}/two`);
  await bench.apply(parts);
  await text(`${bench.url()}/three`);
  await expect.poll(() => paths(log), WAIT).toEqual(['/three']);
  expect(paths(`${log}.1`)).toEqual(['/one', '/two']);
  await bench.apply({ listeners: web(fixed('x')) });
  await text(`${bench.url()}/four`);
  await bench.balancer.close();
  expect(paths(log)).toEqual(['/three']);
});

test('a changed file is applied by itself where that is wanted, and a wrong one is not tried again', async () => {
  const more = 'watchConfig: true';
  const bench = await FileBench.start({ listeners: web(fixed('one')), more });
  bench.write({ listeners: web(fixed('two')), more });
  await expect.poll(() => text(bench.url()), WAIT).toBe('two');
  bench.write('nonsense');
  await expect.poll(() => bench.lines.at(-1), WAIT).toContain('refused');
  const { length } = bench.lines;
  bench.write({ listeners: web(fixed('three')), more });
  await expect.poll(() => text(bench.url()), WAIT).toBe('three');
  expect(bench.lines.slice(length)).toEqual(['the file has changed: listener web changed']);
});
