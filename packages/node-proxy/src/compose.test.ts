import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort, until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type NodeProxy, startNodeProxy } from './compose.ts';
import { readConfig } from './config.ts';
import { FakeCatalog, declare, declaredPort, endpoint } from '@rollcall/client-sdk/testing';
import { FakeReports } from './testing/fake-reports.ts';
import {
  type Place,
  askUdp,
  connectTo,
  startInstance,
  startUdpInstance,
  whoAnswers,
} from './testing/sockets.ts';

const WAIT = { timeout: 30_000 };

async function start(...flags: string[]) {
  const catalog = new FakeCatalog();
  const reports = new FakeReports();
  const log: string[] = [];
  const config = readConfig(
    ['--registry=http://127.0.0.1:1', '--metrics=127.0.0.1:0', '--shutdown-ms=0', ...flags],
    {},
  );
  const parts = { catalog, reports, log: (line: string) => void log.push(line) };
  const proxy = await startNodeProxy(config, parts);
  onTestFinished(() => proxy.close());
  return { proxy, catalog, reports, log };
}

/** Waits until every address of every service is bound. */
async function allBound(proxy: NodeProxy): Promise<void> {
  await until(() => {
    const states = [...proxy.services()].flatMap((service) =>
      service.standings().map(({ status }) => status.state),
    );
    return states.length > 0 && states.every((state) => state === 'bound');
  });
}

async function instances(...names: string[]) {
  const started = await Promise.all(names.map(startInstance));
  return { started, endpoints: started.map(({ name, port }) => endpoint(name, port)) };
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** So many connections, a few at a time. */
async function connections(place: Place, count: number, atATime = 50): Promise<string[]> {
  const names: string[] = [];
  const one = async (): Promise<void> => {
    while (names.length < count) names.push(await whoAnswers(place));
  };
  await Promise.all(Array.from({ length: atATime }, one));
  return names.slice(0, count);
}

test('3 instances share 1,000 connections within 5 %', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a', 'b', 'c');
  const place = { host: '127.96.10.1', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  const counts = countsOf(await connections(place, 1_000));
  expect(Object.keys(counts).toSorted()).toEqual(['a', 'b', 'c']);
  for (const count of Object.values(counts)) {
    expect(Math.abs(count - 1_000 / 3)).toBeLessThanOrEqual((1_000 / 3) * 0.05);
  }
});

test('1,000 endpoint changes under traffic refuse no connection', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a', 'b', 'c', 'd');
  const place = { host: '127.96.10.2', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  const state = { isOver: false };
  const names: string[] = [];
  const traffic = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!state.isOver) names.push(await whoAnswers(place));
    }),
  );
  for (let change = 0; change < 1_000; change++) {
    const gone = change % 4;
    const weight = 100 + (change % 7);
    catalog.showEndpoints(
      'web',
      endpoints.flatMap((one, at) => (at === gone ? [] : [{ ...one, weight }])),
    );
    await new Promise((resolve) => void setImmediate(resolve));
    const { length } = names;
    if (change % 10 === 0) await until(() => names.length > length, { everyMs: 1 });
  }
  expect(names.length).toBeGreaterThan(100);
  state.isOver = true;
  await traffic;
  const counts = countsOf(names);
  expect(Object.keys(counts).toSorted()).toEqual(['a', 'b', 'c', 'd']);
});

test('a dead instance costs no connection and is passed over for a while', async () => {
  const { proxy, catalog } = await start();
  const { started, endpoints } = await instances('a', 'b', 'dead');
  started[2]!.stop();
  const place = { host: '127.96.10.3', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  const counts = countsOf(await connections(place, 200, 4));
  expect(Object.keys(counts).toSorted()).toEqual(['a', 'b']);
  const answer = await fetch(`${proxy.admin}/services`);
  const { services } = (await answer.json()) as {
    services: { ports: { endpoints: { id: string; connectFailures: number }[] }[] }[];
  };
  const dead = services[0]!.ports[0]!.endpoints.find(({ id }) => id === 'dead/')!;
  expect(dead.connectFailures).toBeGreaterThan(0);
  expect(dead.connectFailures).toBeLessThan(20);
});

test('clients stick to an instance while there is affinity, and move when it goes', async () => {
  const { proxy, catalog } = await start();
  const { started, endpoints } = await instances('a', 'b', 'c');
  const place = { host: '127.96.10.4', port: await freePort() };
  const declared = declare(place.host, [declaredPort(place.port)], { affinityMs: 60_000 });
  catalog.show('web', declared, endpoints);
  await allBound(proxy);
  const clients = Array.from({ length: 9 }, (_, i) => ({
    ...place,
    localAddress: `127.0.7.${i + 1}`,
  }));
  const homes = new Map<string, string>();
  for (const client of clients) {
    const names = await connections(client, 5, 1);
    expect(new Set(names).size).toBe(1);
    homes.set(client.localAddress, names[0]!);
  }
  expect(Object.values(countsOf([...homes.values()]))).toEqual([3, 3, 3]);
  // One leaves the roll, another dies without a word: their clients move and stay where they went.
  catalog.showEndpoints('web', endpoints.slice(1));
  started[1]!.stop();
  for (const client of clients) {
    const names = await connections(client, 3, 1);
    expect(new Set(names)).toEqual(new Set(['c']));
  }
  catalog.showEndpoints('web', endpoints.slice(0, 1).concat(endpoints[2]!));
  expect(new Set(await connections(clients[0]!, 4, 1))).toEqual(new Set(['c']));
});

test('UDP through cluster IP and node port, and after the target has left', async () => {
  const { proxy, catalog } = await start('--node-port-addresses=127.96.11.9');
  const [port, nodePort] = [await freePort(), await freePort()];
  const udp = (name: string, at: number) =>
    endpoint(name, at, { id: `${name}/dns`, portName: 'dns', protocol: 'UDP' });
  const declared = declare(
    '127.96.10.5',
    [declaredPort(port, { name: 'dns', protocol: 'UDP', nodePort })],
    { type: 'NodePort' },
  );
  const a = udp('a', await startUdpInstance('a'));
  catalog.show('names', declared, [a]);
  await allBound(proxy);
  expect(await askUdp({ host: '127.96.10.5', port }, 'x')).toBe('a x');
  expect(await askUdp({ host: '127.96.11.9', port: nodePort }, 'y')).toBe('a y');
  const b = udp('b', await startUdpInstance('b'));
  catalog.showEndpoints('names', [b]);
  expect(await askUdp({ host: '127.96.10.5', port }, 'z')).toBe('b z');
});

test('node ports are served on loopback only unless told otherwise', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a');
  const [port, nodePort] = [await freePort(), await freePort()];
  const declared = declare('127.96.10.6', [declaredPort(port, { nodePort })], { type: 'NodePort' });
  catalog.show('web', declared, endpoints);
  await allBound(proxy);
  expect(await whoAnswers({ host: '127.0.0.1', port: nodePort })).toBe('a');
  expect(await whoAnswers({ host: '127.96.10.6', port: nodePort })).toBe('ECONNREFUSED');
});

test('two ports lead to the endpoints of their names, two services share an address', async () => {
  const { proxy, catalog } = await start();
  const [http, admin, other] = [await freePort(), await freePort(), await freePort()];
  const { started } = await instances('web', 'adm', 'oth');
  const [web, adm, oth] = started.map(({ name, port }) => endpoint(name, port));
  const ports = [declaredPort(http, { name: 'http' }), declaredPort(admin, { name: 'admin' })];
  catalog.show('one', declare('127.96.10.7', ports), [
    { ...web!, portName: 'http' },
    { ...adm!, portName: 'admin' },
  ]);
  catalog.show('two', declare('127.96.10.7', [declaredPort(other)]), [oth!]);
  await allBound(proxy);
  const ask = (port: number) => whoAnswers({ host: '127.96.10.7', port });
  expect(await Promise.all([http, admin, other].map(ask))).toEqual(['web', 'adm', 'oth']);
});

test('a frontend that moves: the old address is given back, connections go on', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a');
  const [before, after] = [await freePort(), await freePort()];
  catalog.show('web', declare('127.96.10.8', [declaredPort(before)]), endpoints);
  await allBound(proxy);
  const open = connectTo({ host: '127.96.10.8', port: before });
  expect(await open.name).toBe('a');
  catalog.show('web', declare('127.96.10.9', [declaredPort(after)]), endpoints);
  await allBound(proxy);
  expect(await whoAnswers({ host: '127.96.10.9', port: after })).toBe('a');
  expect(await whoAnswers({ host: '127.96.10.8', port: before })).toBe('ECONNREFUSED');
  open.socket.write('still there');
  const [chunk] = (await once(open.socket, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('still there');
  open.socket.destroy();
});

test('no endpoints: reset at once, not hung; terminating ones are the last resort', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a', 'b');
  const place = { host: '127.96.10.10', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), []);
  await allBound(proxy);
  expect(await whoAnswers(place)).toBe('ECONNRESET');
  const leaving = { ready: false, terminating: true, tier: null } as const;
  catalog.showEndpoints('web', [{ ...endpoints[0]!, ...leaving }]);
  expect(await whoAnswers(place)).toBe('a');
  catalog.showEndpoints('web', [{ ...endpoints[0]!, ...leaving }, endpoints[1]!]);
  expect(new Set(await connections(place, 6, 1))).toEqual(new Set(['b']));
  catalog.showEndpoints('web', [{ ...endpoints[0]!, ...leaving, serving: false }]);
  expect(await whoAnswers(place)).toBe('ECONNRESET');
});

test('connections to an endpoint that has left go on until their time is over', async () => {
  const { proxy, catalog } = await start('--drain-ms=700');
  const { endpoints } = await instances('a', 'b');
  const place = { host: '127.96.10.11', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints.slice(0, 1));
  await allBound(proxy);
  const open = connectTo(place);
  expect(await open.name).toBe('a');
  catalog.showEndpoints('web', endpoints.slice(1));
  expect(await whoAnswers(place)).toBe('b');
  open.socket.write('still there');
  await once(open.socket, 'data');
  await until(() => open.socket.destroyed);
});

test('a service that is not to be proxied, or is no more, is not served', async () => {
  const { proxy, catalog, reports } = await start();
  const { endpoints } = await instances('a');
  const place = { host: '127.96.10.12', port: await freePort() };
  const declared = declare(place.host, [declaredPort(place.port)]);
  catalog.show('implicit', null, endpoints);
  catalog.show(
    'headless',
    declare('', [declaredPort(place.port)], { isHeadless: true }),
    endpoints,
  );
  catalog.show('elsewhere', declare('', [], { type: 'ExternalName', externalName: 'x.y' }), []);
  catalog.show('web', declared, endpoints);
  await allBound(proxy);
  expect([...proxy.services()].map(({ key }) => key)).toEqual(['default/web']);
  await until(() => reports.of('web').length > 0);
  catalog.show('web', null, endpoints);
  expect(await whoAnswers(place)).toBe('ECONNREFUSED');
  await until(() => reports.standing.size === 0);
  catalog.show('web', declared, endpoints);
  await allBound(proxy);
  expect(await whoAnswers(place)).toBe('a');
  catalog.remove('web');
  expect(await whoAnswers(place)).toBe('ECONNREFUSED');
});

test('what cannot be bound, and SCTP, become conditions, and are taken back when they end', async () => {
  const { proxy, catalog, reports, log } = await start('--node-name=Host_1.local');
  const { endpoints } = await instances('a');
  const host = '127.96.10.13';
  const blocker = createServer().listen(0, host);
  await once(blocker, 'listening');
  onTestFinished(() => void blocker.close());
  const { port } = blocker.address() as { port: number };
  const sctp = declaredPort(132, { name: 'old', protocol: 'SCTP' });
  const declared = declare(host, [declaredPort(port, { name: 'web' }), sctp], {
    externalIPs: ['192.0.2.9'],
  });
  catalog.show(
    'web',
    declared,
    endpoints.map((one) => ({ ...one, portName: 'web' })),
  );
  await until(() => reports.of('web').length > 0);
  expect([...reports.standing.keys()]).toEqual(['web node-proxy.host-1.local']);
  const [cluster, external, protocols, programmed] = reports.of('web');
  expect(cluster).toMatch(
    new RegExp(`^ClusterIPBound=False AddressInUse: ${host}:${port}/TCP: .*EADDRINUSE`),
  );
  expect(external).toMatch(
    /^ExternalIPBound=False AddressNotAvailable: 192\.0\.2\.9:\d+\/TCP: .*EADDRNOTAVAIL/,
  );
  expect(protocols).toMatch(/^ProtocolsSupported=False ProtocolNotSupported: 132\/SCTP: /);
  expect(programmed).toMatch(/^Programmed=False AddressInUse: .*132\/SCTP/);
  expect(log.join('\n')).toContain(`default/web: AddressInUse: ${host}:${port}/TCP`);
  // The place becomes free: it is bound by itself, and that is said.
  blocker.close();
  await until(() => reports.of('web')[0] === `ClusterIPBound=True Bound: ${host}:${port}/TCP`);
  expect(await whoAnswers({ host, port })).toBe('a');
  catalog.show('web', declare(host, [declaredPort(port, { name: 'web' })]), endpoints);
  await until(() => reports.of('web').includes(`Programmed=True Programmed: ${host}:${port}/TCP`));
  catalog.remove('web');
  await until(() => reports.standing.size === 0);
  expect([...proxy.services()]).toEqual([]);
});

test('reports are made on change only, and again once the registry is back', async () => {
  const { proxy, catalog, reports } = await start();
  const { endpoints } = await instances('a', 'b');
  reports.isAway = true;
  const place = { host: '127.96.10.14', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  await until(() => reports.count > 0);
  // It serves all the same.
  expect(['a', 'b']).toContain(await whoAnswers(place));
  reports.isAway = false;
  await until(() => reports.of('web').length > 0);
  const { count } = reports;
  for (let i = 0; i < 200; i++) catalog.showEndpoints('web', endpoints.slice(i % 2));
  expect(await whoAnswers(place)).not.toBe('ECONNRESET');
  expect(reports.count).toBe(count);
});

test("a load balancer's addresses are served when told so, within its source ranges", async () => {
  const { proxy, catalog, reports } = await start('--load-balancer-ips');
  const { endpoints } = await instances('a');
  const port = await freePort();
  const declared = declare('127.96.10.15', [declaredPort(port)], {
    type: 'LoadBalancer',
    loadBalancerIPs: ['127.96.12.1', '192.0.2.77'],
    loadBalancerSourceRanges: ['127.0.8.0/24'],
  });
  catalog.show('web', declared, endpoints);
  await until(() => reports.of('web').length > 0);
  const at = { host: '127.96.12.1', port };
  expect(await whoAnswers({ ...at, localAddress: '127.0.8.1' })).toBe('a');
  expect(await whoAnswers({ ...at, localAddress: '127.0.9.1' })).toBe('ECONNRESET');
  expect(await whoAnswers({ host: '127.96.10.15', port, localAddress: '127.0.9.1' })).toBe('a');
  // Somebody else's address is no fault of this proxy.
  expect(reports.of('web').at(-1)).toMatch(/^Programmed=True/);
  expect([...proxy.services()][0]!.standings()).toHaveLength(3);
});

test('the scheduler of the option, and the one that a service names', async () => {
  const { proxy, catalog } = await start('--scheduler=sh');
  const { endpoints } = await instances('a', 'b', 'c');
  const [first, second] = [await freePort(), await freePort()];
  const host = '127.96.10.16';
  catalog.show('hashed', declare(host, [declaredPort(first)]), endpoints);
  catalog.show('even', declare(host, [declaredPort(second)], { scheduler: 'rr' }), endpoints);
  await allBound(proxy);
  expect(new Set(await connections({ host, port: first }, 12, 1)).size).toBe(1);
  expect(countsOf(await connections({ host, port: second }, 12, 1))).toEqual({ a: 4, b: 4, c: 4 });
});

test('least connections go where the fewest are open', async () => {
  const { proxy, catalog } = await start('--scheduler=lc');
  const { endpoints, started } = await instances('a', 'b');
  const place = { host: '127.96.10.17', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints.slice(0, 1));
  await allBound(proxy);
  const open = Array.from({ length: 6 }, () => connectTo(place));
  await Promise.all(open.map(({ name }) => name));
  catalog.showEndpoints('web', endpoints);
  const more = Array.from({ length: 8 }, () => connectTo(place));
  await Promise.all(more.map(({ name }) => name));
  expect(started.map(({ sockets }) => sockets.size)).toEqual([7, 7]);
  for (const { socket } of [...open, ...more]) socket.destroy();
});

test('20 MB arrive intact', async () => {
  const { proxy, catalog } = await start();
  const { endpoints } = await instances('a');
  const place = { host: '127.96.10.18', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  const { socket, name } = connectTo(place);
  await name;
  const sent = Buffer.alloc(20_000_000, 'rollcall ');
  const received = createHash('sha256');
  let count = 0;
  socket.on('data', (chunk: Buffer) => {
    received.update(chunk);
    count += chunk.length;
  });
  socket.end(sent);
  await once(socket, 'end');
  expect(count).toBe(sent.length);
  expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
});

test('shutting down takes no more, lets connections finish, and takes reports back', async () => {
  const { proxy, catalog, reports } = await start('--shutdown-ms=20000');
  const { endpoints } = await instances('a');
  const place = { host: '127.96.10.19', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await until(() => reports.of('web').length > 0);
  const { socket, name } = connectTo(place);
  await name;
  const closed = proxy.close();
  await until(() => reports.standing.size === 0);
  expect(await whoAnswers(place)).toBe('ECONNREFUSED');
  expect((await fetch(`${proxy.admin}/readyz`)).status).toBe(503);
  socket.end('last words');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('last words');
  await closed;
  expect(catalog.isClosed).toBe(true);
});

test('cold it binds nothing and is not ready; then it says what it does', async () => {
  const { proxy, catalog } = await start();
  expect([...proxy.services()]).toEqual([]);
  expect((await fetch(`${proxy.admin}/readyz`)).status).toBe(503);
  const { endpoints } = await instances('a');
  const place = { host: '127.96.10.20', port: await freePort() };
  catalog.show('web', declare(place.host, [declaredPort(place.port)]), endpoints);
  await allBound(proxy);
  await whoAnswers(place);
  expect((await fetch(`${proxy.admin}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  expect(metrics).toContain('rollcall_node_proxy_addresses{state="bound"} 1');
  expect(metrics).toContain('rollcall_node_proxy_connections_total 1');
  const services = await (await fetch(`${proxy.admin}/services`)).json();
  expect(services).toMatchObject({
    services: [
      {
        service: 'default/web',
        scheduler: 'rr',
        addresses: [{ kind: 'ClusterIP', state: 'bound' }],
        ports: [{ endpoints: [{ id: 'a/', connections: 1, isEjected: false }] }],
      },
    ],
  });
});

test('a change of one of 1,000 services costs no more than one of few', async () => {
  const { proxy, catalog } = await start();
  for (let i = 0; i < 1_000; i++) {
    const host = `127.97.${i >> 8}.${i & 255}`;
    catalog.show(`s${i}`, declare(host, [declaredPort(20_000)]), []);
  }
  await allBound(proxy);
  await expect.poll(() => [...proxy.services()].length, WAIT).toBe(1_000);
  const { endpoints } = await instances('a');
  const beganMs = performance.now();
  for (let round = 0; round < 1_000; round++)
    catalog.showEndpoints('s500', round % 2 === 0 ? endpoints : []);
  // 1,000 changes in the time that 10 of them may take.
  expect(performance.now() - beganMs).toBeLessThan(1_000);
  catalog.showEndpoints('s500', endpoints);
  expect(await whoAnswers({ host: '127.97.1.244', port: 20_000 })).toBe('a');
});
