import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type EjectMessage, Rollcall } from '@rollcall/client-sdk';
import { registerGrpcResolver } from '@rollcall/client-sdk/grpc';
import { ChaosProxy, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWays, readAll } from './support/open-ways.ts';
import { type RegistryProcess, Stack } from './support/stack.ts';

// What a caller sees of an answer that has begun, or of a connection that stays open, when its instance dies. The table
// of docs/connections.md says the same.
const INSTANCE = fileURLToPath(new URL('support/streams.ts', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/connections.md', import.meta.url));

let stack: Stack;
let registry: RegistryProcess;
let rollcall: Rollcall;
const instances: TestProcess[] = [];
const endings: (() => unknown)[] = [];

beforeEach(async () => {
  stack = new Stack();
  registry = await stack.registry(['--warm-up-ms', '0']);
  rollcall = stack.client([registry.url]);
});
afterEach(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending();
  await Promise.all(instances.splice(0).map((one) => one.stop('SIGKILL')));
  await stack.close();
});

type Ports = Readonly<Record<'http' | 'http2' | 'tcp' | 'grpc', number>>;

async function startInstance(): Promise<{ process: TestProcess; ports: Ports }> {
  const process = startNode(INSTANCE, [], { env: { ROLLCALL_URL: registry.url } });
  instances.push(process);
  const [, ports = ''] = await process.printed(/registered (\S+)/);
  return { process, ports: JSON.parse(ports) as Ports };
}

/** The row of the page's table that is about a way. */
function rowOf(way: string): readonly string[] {
  const [name = ''] = way.split(',');
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const cells = rows.map((row) => row.split(' | '));
  return (
    cells.find(([open = '']) => open.includes(`\`${name}\``)) ?? expect.fail(`no row of ${name}`)
  );
}

/** What was seen, in the words that the page has to contain. */
const wordsOf = (seen: string) => seen.match(/[A-Z_]{6,}|terminated|\b(?:14|1006)\b/g) ?? [];

/**
 * Opens all ways, each to the service that `serviceOf` says, lets the instance die, and resolves with what each has seen.
 */
async function seenOf(serviceOf: (index: number) => string, die: () => unknown) {
  registerGrpcResolver(rollcall);
  const ways = Object.entries(openWays(rollcall, endings));
  const open = new Set<string>();
  const ends = ways.map(async ([name, way], index) => {
    const service = serviceOf(index);
    await rollcall.service(service, { port: 'tcp' }).ready();
    return [name, await way(service, () => open.add(name))];
  });
  await until(() => open.size === ways.length);
  await startInstance();
  await rollcall.service('streams').ready({ endpoints: 2 });
  await die();
  const seen = Object.fromEntries(await Promise.all(ends)) as Record<string, string>;
  for (const [way, end] of Object.entries(seen))
    for (const word of wordsOf(end)) expect(rowOf(way)[1], way).toContain(word);
  return seen;
}

test('the process of the instance is killed', async () => {
  const first = await startInstance();
  const seen = await seenOf(
    () => 'streams',
    () => first.process.stop('SIGKILL'),
  );
  expect(seen).toEqual({
    'service.request': 'UND_ERR_SOCKET',
    'service.request, http2': 'UND_ERR_SOCKET',
    'service.fetch': 'TypeError terminated <- UND_ERR_SOCKET',
    'fetch of undici': 'TypeError terminated <- UND_ERR_SOCKET',
    'node:http': 'ECONNRESET, complete false',
    axios: 'ECONNRESET, complete false',
    got: 'ECONNRESET',
    WebSocket: '1 errors, close 1006, wasClean false',
    'WebSocket, of Node.js': '1 errors, close 1006, wasClean false',
    ws: '0 errors, close 1006, wasClean false',
    EventSource: `error, readyState 0, then ${instances[1]?.pid}`,
    gRPC: '14 UNAVAILABLE',
    'pick()': 'the end',
  });
  const next = await rollcall.service('streams').request('/whole');
  expect(await next.body.text()).toBe(`${instances[1]?.pid}`);
});

test('the connections of the instance are reset: who is blamed', async () => {
  const { ports } = await startInstance();
  const proxies: ChaosProxy[] = [];
  const far: Record<string, number> = {};
  for (const [name, port] of Object.entries(ports)) {
    const proxy = await ChaosProxy.start(port);
    endings.push(() => proxy.close());
    proxies.push(proxy);
    far[name] = proxy.port;
  }
  rollcall = new Rollcall({ url: registry.url, calls: { ejection: { failuresInARow: 1 } } });
  endings.push(() => rollcall.close());
  const names = Object.keys(openWays(rollcall, endings));
  for (const index of names.keys())
    await rollcall.register({ service: `far-${index}`, ports: far });
  const blamed = new Set<string>();
  const onEject = (message: unknown) => blamed.add((message as EjectMessage).service);
  subscribe('rollcall:eject', onEject);
  endings.push(() => unsubscribe('rollcall:eject', onEject));
  const seen = await seenOf(
    (index) => `far-${index}`,
    () => proxies.forEach((proxy) => proxy.cut('reset')),
  );
  expect(seen).toEqual({
    'service.request': 'ECONNRESET',
    'service.request, http2': 'ECONNRESET',
    'service.fetch': 'TypeError terminated <- ECONNRESET',
    'fetch of undici': 'TypeError terminated <- ECONNRESET',
    'node:http': 'request ECONNRESET, ECONNRESET, complete false',
    axios: 'ECONNRESET, complete false',
    got: 'ECONNRESET',
    WebSocket: '1 errors, close 1006, wasClean false',
    'WebSocket, of Node.js': '1 errors, close 1006, wasClean false',
    ws: '0 errors, close 1006, wasClean false',
    EventSource: `error, readyState 0, then ${instances[0]?.pid}`,
    gRPC: '14 UNAVAILABLE',
    'pick()': 'ECONNRESET',
  });
  const unblamed = names.filter((_name, index) => !blamed.has(`far-${index}`));
  expect(unblamed).toEqual(['WebSocket', 'WebSocket, of Node.js', 'ws']);
  for (const name of names) {
    const expected = unblamed.includes(name) ? /^no / : /^(yes|if you report)/;
    expect(rowOf(name)[2], name).toMatch(expected);
  }
});

test('the instance hangs: the bodies of the SDK have a limit', async () => {
  const { ports } = await startInstance();
  const proxy = await ChaosProxy.start(ports.http);
  endings.push(() => proxy.close());
  rollcall = new Rollcall({ url: registry.url, calls: { bodyTimeoutMs: 200 } });
  endings.push(() => rollcall.close());
  await rollcall.register({ service: 'far', ports: { http: proxy.port } });
  const far = rollcall.service('far');
  await far.ready();
  const [reply, response] = [await far.request('/'), await far.fetch('/')];
  proxy.set({ lost: ['up', 'down'] });
  const ends = [readAll(reply.body, () => {}), readAll(response.body!, () => {})];
  expect(await Promise.all(ends)).toEqual([
    'UND_ERR_BODY_TIMEOUT',
    'TypeError terminated <- UND_ERR_BODY_TIMEOUT',
  ]);
});
