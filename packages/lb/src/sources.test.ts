import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';
import { ConfigFile } from './config/config-source.ts';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';

const WAIT = { timeout: 60_000 };
const listeners = '[{ name: web, port: 0, default: { targetGroup: hello } }]';
const written = (port: number, more = '') => `{ address: 127.0.0.1, port: ${port} ${more} }`;

/** The file as it is, without a registry. */
const fileOf = (targetGroups: string, more = '') =>
  `listeners: ${listeners}\ntargetGroups: ${targetGroups}\nadmin: { port: 0 }\naccessLog: off\n${more}\n`;

async function startFile(text: string): Promise<FileBench> {
  const bench = new FileBench();
  bench.write(text);
  const source = new ConfigFile(bench.file, {});
  const { config } = source.load();
  expect(config.registry).toBeUndefined();
  const log = (line: string) => void bench.lines.push(line);
  bench.balancer = await startLoadBalancer(config, { log, source });
  onTestFinished(() => bench.balancer.close());
  return bench;
}

async function answers(bench: FileBench, expected: string): Promise<void> {
  const seen = async () => {
    const all = await Promise.all(
      Array.from({ length: 24 }, async () => {
        const reply = await fetch(bench.url(), { headers: { connection: 'close' } });
        return reply.ok ? reply.text() : `${reply.status}`;
      }),
    );
    return [...new Set(all)].toSorted().join(' ');
  };
  await expect.poll(seen, WAIT).toBe(expected);
}

async function targetsOf(bench: FileBench) {
  const { targetGroups } = (await (await fetch(`${bench.admin}/targets`)).json()) as {
    targetGroups: { targets: { id: string; state: string; requests: number; reason: string }[] }[];
  };
  return targetGroups[0]!.targets;
}

test.each(['', 'workers: 2'])(
  'written targets need no registry, and change with the file: %s',
  async (more) => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((answer) => startTarget(answer)));
    const group = (...targets: string[]) =>
      `{ hello: { targets: [${targets.join(', ')}], healthCheck: { intervalMs: 100 } } }`;
    const bench = await startFile(
      fileOf(group(written(a!), written(b!, ', weight: 50, zone: z')), more),
    );
    await answers(bench, 'a b');
    expect(await bench.readyz()).toMatchObject({ status: 'ready' });
    const [first, second] = await targetsOf(bench);
    expect(first).toMatchObject({ id: `127.0.0.1:${a!}`, zone: '', weight: 100 });
    expect(first!.reason).toContain('written in the configuration');
    expect(second).toMatchObject({ zone: 'z', weight: 50 });
    const { requests } = first!;
    expect(requests).toBeGreaterThan(0);
    expect(await bench.apply(fileOf(group(written(a!), written(c!)), more))).toMatchObject({
      result: 'applied',
    });
    await answers(bench, 'a c');
    // What is known of the one that stays is kept.
    const same = (await targetsOf(bench)).find(({ id }) => id === `127.0.0.1:${a!}`)!;
    expect(same.requests).toBeGreaterThan(requests);
    expect(same.state).toBe('healthy');
  },
);

test('they stand beside those of a service, and are ejected and checked as they are', async () => {
  const [a, b] = await Promise.all(['a', 'b'].map((answer) => startTarget(answer)));
  const bad = await startTarget((_request, response) => void response.writeHead(500).end());
  const registry = new FakeSource();
  const bench = await FileBench.start(
    {
      listeners,
      targetGroups: `{ hello: { service: hello, targets: [${written(a!)}, ${written(bad)}], ejection: { failuresInARow: 1, baseMs: 600000, maxMs: 600000 } } }`,
    },
    { openSource: () => registry },
  );
  await answers(bench, 'a');
  registry.show(endpoint(b!));
  await answers(bench, 'a b');
  const states = (await targetsOf(bench)).map(({ state }) => state).toSorted();
  expect(states).toEqual(['ejected', 'healthy', 'healthy']);
});

test('a registry comes with a reload, and goes with one', async () => {
  const port = await startTarget('a');
  const bench = await startFile(fileOf(`{ hello: { targets: [${written(port)}] } }`));
  await answers(bench, 'a');
  expect(
    await bench.apply(
      fileOf(
        `{ hello: { targets: [${written(port)}] }, other: { service: other } }`,
        'registry: { url: "http://127.0.0.1:1" }',
      ),
    ),
  ).toMatchObject({ result: 'applied' });
  await expect.poll(async () => (await bench.readyz())['waitingFor'], WAIT).toEqual(['other']);
  expect(await bench.apply(fileOf(`{ hello: { targets: [${written(port)}] } }`))).toMatchObject({
    result: 'applied',
  });
  expect(await bench.readyz()).toMatchObject({ status: 'ready' });
  await answers(bench, 'a');
});

/** A name server that knows one name; `addresses` undefined: it does not answer. */
async function startNames(): Promise<{
  server: string;
  state: { addresses: string[] | undefined };
}> {
  const state: { addresses: string[] | undefined } = { addresses: [] };
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (state.addresses === undefined) return;
    const questionEnd = query.indexOf(0, 12) + 5;
    const isA = query.readUInt16BE(questionEnd - 4) === 1;
    const records = isA ? state.addresses : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    const answersOf = records.map((one) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...one.split('.').map(Number)]),
    );
    socket.send(
      Buffer.concat([head, query.subarray(12, questionEnd), ...answersOf]),
      port,
      address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, state };
}

test.each(['', 'workers: 2'])('the addresses of a name are followed: %s', async (more) => {
  const names = await startNames();
  // The same port on several addresses of this machine.
  const first = createServer((_request, response) => response.end('a')).listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as { port: number };
  const second = createServer((_request, response) => response.end('b')).listen(port, '127.0.0.2');
  await once(second, 'listening');
  onTestFinished(() => {
    for (const server of [first, second]) {
      server.close();
      server.closeAllConnections();
    }
  });
  names.state.addresses = ['127.0.0.1'];
  const group = `{ hello: { dns: { name: shop.internal, port: ${port}, everyMs: 100, servers: ["${names.server}"] } } }`;
  const bench = await startFile(fileOf(group, more));
  await answers(bench, 'a');
  names.state.addresses = ['127.0.0.2', '127.0.0.1'];
  await answers(bench, 'a b');
  names.state.addresses = ['127.0.0.2'];
  await answers(bench, 'b');
  names.state.addresses = [];
  await expect.poll(() => bench.lines.join('\n'), WAIT).toContain('it has no address');
  await answers(bench, 'b');
  names.state.addresses = undefined;
  await answers(bench, 'b');
});

test.each<[string, string, string]>([
  [
    '{}',
    '',
    'targetGroups.hello.service: missing, expected the name of a service, or targets or dns',
  ],
  ['{ targets: [] }', '', 'expected at least one target'],
  [
    '{ targets: [{ address: shop.test, port: 1 }] }',
    '',
    'expected an IP address; for a name there is dns',
  ],
  ['{ targets: [{ address: 10.0.0.1 }] }', '', 'targets[0].port: missing, expected a port'],
  [
    '{ targets: [{ address: 10.0.0.1, port: 1 }, { address: 10.0.0.1, port: 1 }] }',
    '',
    'target used twice, got 10.0.0.1:1',
  ],
  [
    '{ targets: [{ address: 10.0.0.1, port: 1 }], namespace: x }',
    '',
    'namespace: of no use, got no service',
  ],
  [
    '{ scheme: https, targets: [{ address: 10.0.0.1, port: 1 }] }',
    '',
    'scheme: no name, got https to addresses, expected tls: { servername: ... }',
  ],
  ['{ dns: { name: "a b", port: 1 } }', '', 'expected a host name'],
  [
    '{ dns: { name: a.test, port: 1, servers: [nonsense] } }',
    '',
    'expected an IP address, possibly with a port',
  ],
  [
    '{ dns: { name: a.test, port: 1, servers: ["999.1.1.1"] } }',
    '',
    'expected an IP address, possibly with a port',
  ],
  [
    '{ dns: { name: a.test, port: 1, servers: ["10.0.0.1:70000"] } }',
    '',
    'expected an IP address, possibly with a port',
  ],
  ['{ service: hello }', '', 'registry: missing, expected a mapping'],
  [
    '{ targets: [{ address: 10.0.0.1, port: 1 }] }',
    'ingress: { listener: web }',
    'registry: missing',
  ],
])('%s is refused: %s', (group, more, text) => {
  expect(() => parseConfig(fileOf(`{ hello: ${group} }`, more), 'lb.yaml', {})).toThrow(text);
});
