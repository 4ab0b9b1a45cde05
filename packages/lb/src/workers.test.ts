import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { freePort } from '@rollcall/testkit';
import { RawClient } from '@rollcall/dataplane/testing';
import { expect, onTestFinished, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, type FileParts, startTarget } from './testing/file-bench.ts';
import { Load, MixedLoad } from './testing/load.ts';
import { openTls, portOf, startTlsBalancer } from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';

const WAIT = { timeout: 60_000 };
const WORKERS = 'workers: 2';

const web = (rest: string) => `[{ name: web, port: 0, ${rest} }]`;
const fixed = (body: string) => `default: { fixedResponse: { status: 200, body: ${body} } }`;
const toHello = 'default: { targetGroup: hello }';
const hello = (settings = '') => `{ hello: { service: hello ${settings} } }`;
const text = async (url: string) => (await fetch(url)).text();

interface Workers {
  readonly wanted: number;
  readonly serving: number;
  readonly pids: readonly number[];
  readonly lost: number;
}

const workersOf = async (bench: FileBench) => (await bench.readyz())['workers'] as Workers;

async function metric(bench: FileBench, name: string): Promise<number> {
  const lines = (await text(`${bench.admin}/metrics`)).split('\n');
  const values = lines.filter((line) => line.startsWith(name) && !line.startsWith('#'));
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function targetsOf(bench: FileBench) {
  const { targetGroups } = (await (await fetch(`${bench.admin}/targets`)).json()) as {
    targetGroups: { targets: { id: string; state: string; reason: string; requests: number }[] }[];
  };
  return targetGroups[0]!.targets;
}

async function startHello(settings = '', more = ''): Promise<FileBench & { source: FakeSource }> {
  const source = new FakeSource([
    endpoint(await startTarget('ok')),
    endpoint(await startTarget('ok')),
  ]);
  const parts = { listeners: web(toHello), targetGroups: hello(settings) };
  const bench = await FileBench.start(
    { ...parts, more: `${WORKERS}\n${more}` },
    { openSource: () => source },
  );
  return Object.assign(bench, { source });
}

test('workers carry the requests, and what they have done is added up', async () => {
  const bench = await startHello();
  expect(await bench.readyz()).toMatchObject({ status: 'ready', workers: { serving: 2, lost: 0 } });
  const load = new MixedLoad(bench.url());
  await expect.poll(() => load.answered, WAIT).toBeGreaterThan(200);
  await load.stop();
  expect(load.others).toBe('');
  expect(await metric(bench, 'rollcall_lb_requests_total')).toBe(load.answered);
  const targets = await targetsOf(bench);
  expect(targets.map(({ state }) => state)).toEqual(['healthy', 'healthy']);
  expect(targets.reduce((sum, { requests }) => sum + requests, 0)).toBe(load.answered);
  expect(await metric(bench, 'rollcall_lb_request_duration_seconds_count')).toBe(load.answered);
});

test('every change of the configuration reaches all workers, and no request fails', async () => {
  const other = await freePort();
  const variants: FileParts[] = [
    { listeners: web(toHello), targetGroups: hello(), more: WORKERS },
    {
      listeners: `[{ name: web, port: 0, ${toHello} }, { name: other, port: ${other}, ${fixed('x')} }]`,
      targetGroups: hello(', policy: p2c'),
      more: `workers: 3\nlimits: { headBytes: 65536 }`,
    },
    {
      listeners: web(toHello),
      targetGroups: '{ hello: { service: hello, namespace: shop } }',
      more: 'workers: 1\ntrustForwarded: true',
    },
  ];
  const bench = await startHello();
  const load = new MixedLoad(bench.url());
  onTestFinished(() => load.stop());
  for (let i = 1; i <= 12; i++) {
    const goal = load.answered + 50;
    expect(await bench.apply(variants[i % variants.length]!)).not.toHaveProperty('errors');
    await expect.poll(() => load.answered, WAIT).toBeGreaterThan(goal);
    if (i % variants.length === 1) expect(await text(`http://127.0.0.1:${other}`)).toBe('x');
    expect(load.others).toBe('');
  }
  await expect.poll(async () => (await workersOf(bench)).serving, WAIT).toBe(2);
  await load.stop();
  expect(load.others).toBe('');
  // Also of those workers that have ended, or are about to.
  expect(await metric(bench, 'rollcall_lb_requests_total')).toBeGreaterThanOrEqual(load.answered);
});

test('a configuration that cannot be applied is refused by all', async () => {
  const bench = await startHello();
  const taken = new URL(bench.admin).port;
  const listeners = `[{ name: web, port: 0, ${fixed('new')} }, { name: more, port: ${taken}, ${fixed('x')} }]`;
  expect(await bench.apply({ listeners, more: WORKERS })).toMatchObject({
    result: 'refused',
    errors: [expect.stringMatching(/lb\.yaml:2:\d+: cannot listen on 127\.0\.0\.1:\d+: another/)],
  });
  expect(await bench.apply({ listeners: web(fixed('new')) })).toMatchObject({
    errors: [expect.stringContaining('workers: workers cannot be introduced or abolished')],
  });
  for (let i = 0; i < 8; i++) expect(await text(bench.url())).toBe('ok');
});

test('a worker that is killed is replaced: only what was on its connections is lost', async () => {
  const bench = await startHello();
  const loads = [new Load(bench.url(), { clients: 4 }), new Load(bench.url(), { isAnew: true })];
  onTestFinished(async () => void (await Promise.all(loads.map((load) => load.stop()))));
  const answered = () => loads.reduce((sum, load) => sum + load.answered, 0);
  await expect.poll(answered, WAIT).toBeGreaterThan(200);
  const before = await metric(bench, 'rollcall_lb_requests_total');
  const { pids } = await workersOf(bench);
  process.kill(pids[0]!, 'SIGKILL');
  await expect.poll(async () => (await workersOf(bench)).lost, WAIT).toBe(1);
  expect(await metric(bench, 'rollcall_lb_requests_total')).toBeGreaterThanOrEqual(before);
  await expect.poll(async () => (await workersOf(bench)).serving, WAIT).toBe(2);
  expect((await workersOf(bench)).pids).not.toContain(pids[0]);
  const goal = answered() + 200;
  await expect.poll(answered, WAIT).toBeGreaterThan(goal);
  for (const load of loads) {
    await load.stop();
    const unexpected = [...load.statuses.keys()].filter((one) => !/^(200|ECONNRESET)$/.test(one));
    expect(unexpected).toEqual([]);
  }
  expect(bench.lines.join('\n')).toMatch(/worker 1 \(process \d+\) has ended: SIGKILL/);
});

test('a worker that hangs keeps nobody from a change, and follows when it can', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('one')), more: WORKERS });
  const [hanging] = (await workersOf(bench)).pids;
  process.kill(hanging!, 'SIGSTOP');
  expect(await bench.apply({ listeners: web(fixed('two')), more: WORKERS })).toMatchObject({
    result: 'applied',
  });
  expect(await text(bench.url())).toBe('two');
  process.kill(hanging!, 'SIGCONT');
  let inARow = 0;
  const countNew = async () => (inARow = (await text(bench.url())) === 'two' ? inARow + 1 : 0);
  await expect.poll(countNew, WAIT).toBeGreaterThan(30);
  expect((await workersOf(bench)).lost).toBe(0);
});

test('while no worker lives, connections wait', async () => {
  const bench = await FileBench.start({ listeners: web(fixed('ok')), more: 'workers: 1' });
  const { pids } = await workersOf(bench);
  process.kill(pids[0]!, 'SIGKILL');
  await expect.poll(async () => (await bench.readyz())['status'], WAIT).toBe('degraded');
  expect(await text(bench.url())).toBe('ok');
});

test('health checks are made once, and hold in every worker', async () => {
  let checks = 0;
  let isWell = true;
  const ill = createServer((request, response) => {
    if (request.url === '/healthz') {
      checks++;
      response.statusCode = isWell ? 200 : 500;
    }
    response.end('ill');
  }).listen(0, '127.0.0.1');
  await once(ill, 'listening');
  onTestFinished(() => {
    ill.close();
    ill.closeAllConnections();
  });
  const port = (ill.address() as AddressInfo).port;
  const check = ', healthCheck: { path: /healthz, intervalMs: 100, unhealthyThreshold: 2 }';
  const without = (body: string) =>
    startTarget((request, response) => {
      if (request.url === '/healthz') response.statusCode = 404;
      response.end(body);
    });
  const bench = await startHello(check);
  const others = [endpoint(await without('a')), endpoint(await without('b'))];
  bench.source.show(...others);
  const states = async () => (await targetsOf(bench)).map(({ state }) => state);
  await expect.poll(states, WAIT).toEqual(['unhealthy', 'unhealthy']);
  // Neither of the others answers its checks: the ill one alone is used.
  bench.source.show(endpoint(port), ...others);
  await expect.poll(states, WAIT).toEqual(['unhealthy', 'unhealthy', 'healthy']);
  for (let i = 0; i < 10; i++) expect(await text(bench.url())).toBe('ill');
  isWell = false;
  await expect.poll(states, WAIT).toEqual(['unhealthy', 'unhealthy', 'unhealthy']);
  expect(checks).toBeGreaterThan(2);
  // All fail, so all are used.
  const answers = new Set<string>();
  const collect = async () => answers.add(await text(bench.url())).size;
  await expect.poll(collect, WAIT).toBe(3);
});

test('a target that fails is ejected by the workers that notice it', async () => {
  const bench = await startHello();
  const gone = endpoint(await freePort());
  bench.source.show(...bench.source.endpoints()!, gone);
  const load = new Load(bench.url(), { isAnew: true });
  onTestFinished(() => load.stop());
  const standing = async () => {
    const target = (await targetsOf(bench)).find(({ id }) => id === gone.id);
    return `${target?.state} ${target?.reason}`;
  };
  await expect
    .poll(standing, WAIT)
    .toMatch(/^(ejected attempts on it|healthy .*ejected by 1 of 2)/);
  await load.stop();
  expect(load.others).toBe('');
});

test('sessions of TLS are resumed by every worker', async () => {
  const files = new TlsFiles();
  const { files: pem } = files.issue('a', { names: ['a.test'] });
  const { balancer } = await startTlsBalancer(
    `listeners:
  - name: web
    port: 0
    protocol: https
    tls: { certificates: [{ cert: ${pem.cert}, key: ${pem.key} }] }
    ${fixed('ok')}
workers: 2`,
    [],
  );
  const options = {
    servername: 'a.test',
    ca: files.authority.cert,
    maxVersion: 'TLSv1.2',
  } as const;
  const port = portOf(balancer, 'web');
  const first = await openTls(port, options);
  const session = first.getSession();
  for (let i = 0; i < 20; i++) {
    const socket = await openTls(port, { ...options, session });
    expect(socket.isSessionReused()).toBe(true);
    socket.destroy();
  }
});

test('connections beyond the limits are refused, whichever worker they reach', async () => {
  const bench = await FileBench.start({
    listeners: web(fixed('ok')),
    more: `${WORKERS}\nlimits: { sourceConnections: 4 }`,
  });
  const open: RawClient[] = [];
  onTestFinished(() => open.forEach((client) => client.close()));
  for (let i = 0; i < 4; i++) {
    const client = await RawClient.connect(bench.port());
    open.push(client);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.untilText('ok');
  }
  // Each worker learns within two ticks of the connections that the other one has.
  const load = new Load(bench.url(), { clients: 1, isAnew: true });
  onTestFinished(() => load.stop());
  const refusedInARow = async () => {
    const before = load.answered;
    await expect.poll(() => load.statuses.get('ECONNRESET') ?? 0, WAIT).toBeGreaterThan(20);
    load.statuses.delete('ECONNRESET');
    return load.answered === before;
  };
  await expect.poll(refusedInARow, WAIT).toBe(true);
});

test('the lines of the access log of all workers are whole', async () => {
  const source = new FakeSource([endpoint(await startTarget('ok'))]);
  const bench = new FileBench();
  const log = join(bench.folder, 'access.log');
  const parts = { listeners: web(toHello), targetGroups: hello() };
  const started = await FileBench.start(
    { ...parts, more: `${WORKERS}\naccessLog: ${log}` },
    { openSource: () => source },
  );
  const load = new MixedLoad(started.url());
  await expect.poll(() => load.answered, WAIT).toBeGreaterThan(1_000);
  await load.stop();
  await started.balancer.close();
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(load.answered);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ status: 200 });
});

test('a request that leads back to the balancer is refused by whichever worker gets it', async () => {
  const source = new FakeSource([]);
  const bench = await FileBench.start(
    { listeners: web(toHello), targetGroups: hello(), more: WORKERS },
    { openSource: () => source },
  );
  source.show(endpoint(bench.port()));
  const codes = async () => ((await (await fetch(bench.url())).json()) as { code: string }).code;
  await expect.poll(codes, WAIT).toBe('loop_detected');
  const load = new Load(bench.url(), { isAnew: true });
  await expect
    .poll(() => [...load.statuses.values()].reduce((a, b) => a + b, 0), WAIT)
    .toBeGreaterThan(50);
  await load.stop();
  // Each has passed the balancer once, and was answered then: two requests and one try each.
  const passed = await metric(bench, 'rollcall_lb_target_requests_total');
  const asked = await metric(bench, 'rollcall_lb_requests_total');
  expect(asked).toBeGreaterThanOrEqual(2 * passed - 5);
});
