import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startNode } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type LoadBalancer, startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';
import { DRAINING, FakeSource, endpoint } from './testing/fake-source.ts';
import { Load } from './testing/load.ts';

const WAIT = { timeout: 30_000 };
const UPSTREAM = new URL('testing/upstream-process.ts', import.meta.url).pathname;

async function start(source: FakeSource, changes = ''): Promise<LoadBalancer> {
  const text = `registry: { url: http://127.0.0.1:1 }
${changes.includes('listeners') ? '' : 'listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]'}
${changes.includes('admin') ? '' : 'admin: { port: 0 }'}
${changes.includes('accessLog') ? '' : 'accessLog: off'}
${changes.includes('targetGroups') ? '' : 'targetGroups: { hello: { service: hello } }'}
${changes}
`;
  const config = parseConfig(text, 'lb.yaml', {});
  const balancer = await startLoadBalancer(config, { openSource: () => source, log: () => {} });
  onTestFinished(() => balancer.close());
  return balancer;
}

async function serve(answer: string): Promise<number> {
  const server = createServer((_, response) => response.end(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function spawnUpstream() {
  const child = startNode(UPSTREAM);
  onTestFinished(() => void child.stop('SIGKILL'));
  const [, port] = await child.printed(/port (\d+)/);
  return { child, port: Number(port) };
}

const web = (balancer: LoadBalancer) => balancer.addresses.listeners['web']!;

test('forwards to the targets of its group in turn', async () => {
  const ports = await Promise.all(['a', 'b', 'c'].map(serve));
  const balancer = await start(new FakeSource(ports.map((port) => endpoint(port))));
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) answers.push(await (await fetch(web(balancer))).text());
  expect(answers.slice(0, 3).toSorted()).toEqual(['a', 'b', 'c']);
  expect(answers.slice(3)).toEqual(answers.slice(0, 3));
});

test.each<[string, string, IncomingHttpHeaders, IncomingHttpHeaders]>([
  ['by default', '', {}, {}],
  [
    'trailers that a listener asks for',
    'listeners: [{ name: web, port: 0, passRequestTrailers: true, default: { targetGroup: hello } }]',
    {},
    { 'x-sum': '17' },
  ],
  ['names with an underscore', 'underscoresInHeaders: true', { my_own: '1' }, {}],
])('what reaches a target: %s', async (_, keys, headers, trailers) => {
  const seen: Pick<IncomingMessage, 'headers' | 'trailers'>[] = [];
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      seen.push(incoming);
      response.end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const balancer = await start(new FakeSource([endpoint(port)]), keys);
  const outgoing = request(web(balancer), {
    method: 'POST',
    headers: { my_own: '1', 'my-own': '2', trailer: 'x-sum', connection: 'close' },
  });
  outgoing.write('body');
  outgoing.addTrailers({ 'x-sum': '17' });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  await once(answer.resume(), 'end');
  expect(seen).toHaveLength(1);
  const underscored = Object.entries(seen[0]!.headers).filter(([name]) => name.includes('_'));
  expect(Object.fromEntries(underscored)).toEqual(headers);
  expect(seen[0]!.headers['my-own']).toBe('2');
  expect(seen[0]!.trailers).toEqual(trailers);
});

test('before the first picture: 503 with the reason, readyz 503; then both turn', async () => {
  const source = new FakeSource();
  const balancer = await start(source);
  const { admin } = balancer.addresses;
  const refused = await fetch(web(balancer));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('rollcall-reason')).toBe('no_picture');
  const body = await refused.text();
  expect(body).toContain('"code":"no_picture"');
  // Who asks is not told what stands behind: that is for the log and the admin port.
  expect(body).not.toMatch(/hello|default|registry/);
  const { targetGroups } = (await (await fetch(`${admin}/targets`)).json()) as {
    targetGroups: { trouble: string }[];
  };
  expect(targetGroups[0]!.trouble).toMatch(/"hello".*the registry cannot be reached/);
  const waiting = await fetch(`${admin}/readyz`);
  expect(waiting.status).toBe(503);
  expect(await waiting.json()).toEqual({ status: 'waiting', waitingFor: ['hello'] });
  expect((await fetch(`${admin}/livez`)).status).toBe(200);
  source.show(endpoint(await serve('here')));
  expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  expect(await (await fetch(web(balancer))).text()).toBe('here');
});

test('who calls while it starts is refused, which any caller may repeat elsewhere, rather than told 503', async () => {
  const source = new FakeSource();
  const port = await freePort();
  const adminPort = await freePort();
  const starting = start(
    source,
    `listeners: [{ name: web, port: ${port}, default: { targetGroup: hello } }]
admin: { port: ${adminPort} }`,
  );
  const code = (path: string) =>
    fetch(path).then(
      ({ status }) => status,
      ({ cause }: Error) => (cause as NodeJS.ErrnoException).code,
    );
  const url = `http://127.0.0.1:${port}`;
  await expect.poll(() => code(`http://127.0.0.1:${adminPort}/readyz`), WAIT).toBe(503);
  expect(await code(url)).toBe('ECONNREFUSED');
  source.show(endpoint(await serve('here')));
  await starting;
  expect(await code(url)).toBe(200);
});

test('kill -9 of a target under load fails no GET, and the others take over', async () => {
  const upstreams = await Promise.all([spawnUpstream(), spawnUpstream(), spawnUpstream()]);
  const source = new FakeSource(upstreams.map(({ port }) => endpoint(port)));
  const balancer = await start(source);
  const load = new Load(`${web(balancer)}/?delay=2`);
  await expect.poll(() => load.answered, { timeout: 30_000 }).toBeGreaterThan(300);
  upstreams[0].child.child.kill('SIGKILL');
  const before = load.answered;
  await expect.poll(() => load.answered, { timeout: 30_000 }).toBeGreaterThan(before + 300);
  const group = balancer.groups[0]!;
  const killed = group.targets().find(({ port }) => port === upstreams[0].port)!;
  expect(killed.counters.failures).toBeGreaterThan(0);
  expect(killed.standing.state).toBe('ejected');
  source.show(...upstreams.slice(1).map(({ port }) => endpoint(port)));
  const after = killed.counters.requests;
  const count = load.answered;
  await expect.poll(() => load.answered, { timeout: 30_000 }).toBeGreaterThan(count + 300);
  expect(killed.counters.requests).toBe(after);
  await load.stop();
  expect(load.others).toBe('');
});

test('replacing every target under load, one after another, fails no request', async () => {
  let [leaving, staying] = await Promise.all([spawnUpstream(), spawnUpstream()]);
  const source = new FakeSource([endpoint(leaving.port), endpoint(staying.port)]);
  const balancer = await start(source);
  const load = new Load(`${web(balancer)}/?delay=2`);
  for (let round = 0; round < 2; round++) {
    const joining = await spawnUpstream();
    const now = [endpoint(staying.port), endpoint(joining.port)];
    source.show(endpoint(leaving.port, DRAINING), ...now);
    const { port } = leaving;
    const target = balancer.groups[0]!.targets().find((one) => one.port === port)!;
    await expect.poll(() => target.inFlight, { timeout: 30_000 }).toBe(0);
    source.show(...now);
    await leaving.child.stop('SIGKILL');
    const count = load.answered;
    await expect.poll(() => load.answered, { timeout: 30_000 }).toBeGreaterThan(count + 100);
    [leaving, staying] = [staying, joining];
  }
  await load.stop();
  expect(load.others).toBe('');
});

test('a failing health check takes a target out', async () => {
  let isWell = false;
  const server = createServer((incoming, response) => {
    if (incoming.url === '/healthz') response.statusCode = isWell ? 200 : 500;
    response.end('sick');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const sick = (server.address() as AddressInfo).port;
  const well = await serve('well');
  const check = '{ path: /healthz, intervalMs: 20, timeoutMs: 1000 }';
  const balancer = await start(
    new FakeSource([endpoint(sick), endpoint(well)]),
    `targetGroups: { hello: { service: hello, healthCheck: ${check} } }`,
  );
  const report = async () => {
    const answer = await fetch(`${balancer.addresses.admin}/targets`);
    const { targetGroups } = (await answer.json()) as {
      targetGroups: { targets: { port: number; state: string; reason: string }[] }[];
    };
    return targetGroups[0]!.targets.find(({ port }) => port === sick)!;
  };
  await expect.poll(async () => (await report()).state, { timeout: 30_000 }).toBe('unhealthy');
  expect((await report()).reason).toBe('health check: GET /healthz answered 500, expected 200-299');
  for (let i = 0; i < 4; i++) expect(await (await fetch(web(balancer))).text()).toBe('well');
  isWell = true;
  await expect.poll(async () => (await report()).state, { timeout: 30_000 }).toBe('healthy');
});

test('the admin port shows targets and metrics', async () => {
  const port = await serve('ok');
  const source = new FakeSource([endpoint(port), endpoint(2, { state: 'down', tier: null })]);
  source.age = 1_234;
  const balancer = await start(source);
  const { admin } = balancer.addresses;
  await (await fetch(web(balancer))).text();
  const [group] = ((await (await fetch(`${admin}/targets`)).json()) as { targetGroups: unknown[] })
    .targetGroups;
  expect(group).toMatchObject({
    name: 'hello',
    pictureAgeMs: 1_234,
    isFailOpen: false,
    targets: [
      {
        id: `i${port}/http`,
        state: 'healthy',
        reason: 'the instance is up',
        since: expect.stringMatching(/^\d{4}-/),
        inFlight: 0,
        requests: 1,
        failures: 0,
      },
      { id: 'i2/http', state: 'unused', reason: 'the instance is down' },
    ],
  });
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  for (const line of [
    'rollcall_lb_requests_total{group="hello",code="2xx"} 1',
    'rollcall_lb_request_duration_seconds_count{group="hello"} 1',
    'rollcall_lb_request_duration_seconds_bucket{group="hello",le="+Inf"} 1',
    'rollcall_lb_picture_age_seconds{group="hello"} 1.234',
    'rollcall_lb_targets{group="hello",state="unused"} 1',
    `rollcall_lb_target_requests_total{group="hello",target="i${port}/http"} 1`,
    'rollcall_lb_requests_in_flight 0',
  ]) {
    expect(metrics).toContain(`${line}\n`);
  }
  expect((await fetch(`${admin}/nothing`)).status).toBe(404);
});

test('the access log has one line for each request, without its query', async () => {
  const file = join(tmpdir(), `rollcall-lb-${process.pid}.log`);
  const port = await serve('ok');
  const balancer = await start(new FakeSource([endpoint(port)]), `accessLog: ${file}`);
  await (
    await fetch(`${web(balancer)}/a"b?token=secret`, { headers: { cookie: 'secret' } })
  ).text();
  await balancer.close();
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain('secret');
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    client: '127.0.0.1',
    method: 'GET',
    path: '/a%22b',
    status: 200,
    reason: '',
    group: 'hello',
    target: `i${port}/http`,
    address: `127.0.0.1:${port}`,
    attempts: 1,
  });
});

test('closing says so on readyz first, and lets requests finish', async () => {
  const upstream = await spawnUpstream();
  const balancer = await start(
    new FakeSource([endpoint(upstream.port)]),
    'shutdown: { delayMs: 300 }',
  );
  const slow = fetch(`${web(balancer)}/?delay=600`);
  await expect.poll(() => balancer.groups[0]!.targets()[0]!.inFlight, { timeout: 30_000 }).toBe(1);
  const closed = balancer.close();
  const ready = await fetch(`${balancer.addresses.admin}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ status: 'closing', waitingFor: [] });
  expect((await fetch(web(balancer))).status).toBe(200);
  expect((await slow).status).toBe(200);
  await closed;
  await expect(fetch(web(balancer))).rejects.toThrow('fetch failed');
});

test('a port that is taken is named with the key that changes it', async () => {
  const taken = await serve('first');
  const text = (web_: number, admin: number) => `registry: { url: http://127.0.0.1:1 }
listeners: [{ name: web, port: ${web_} }]
accessLog: off
admin: { port: ${admin} }`;
  const attempt = (web_: number, admin: number) =>
    startLoadBalancer(parseConfig(text(web_, admin), 'lb.yaml', {}), { log: () => {} });
  await expect(attempt(taken, 0)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${taken}: another program listens there already; ` +
      'choose another address with listeners[0].host or listeners[0].port (0: any free port)',
  );
  const free = await freePort();
  await expect(attempt(free, taken)).rejects.toThrow(/admin\.host or admin\.port/);
  // Nothing was left listening by the attempt that failed.
  const balancer = await attempt(free, 0);
  await balancer.close();
});
