import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Rollcall } from '@rollcall/client-sdk';
import { TestProcess, until } from '@rollcall/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { link, pack, unpack } from './support/packed.ts';
import { type RegistryProcess, Stack } from './support/stack.ts';

// The folders that a reader copies, each with what its own package.json names and nothing else: the packages as they are
// packed, the libraries of others linked from here.
const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const PACKED = ['balancing', 'client-sdk', 'contract', 'runtime'];
const FRAMEWORKS = ['fastify', 'express', 'hono', 'nestjs'];
const EXAMPLES = [...FRAMEWORKS, 'axios', 'got', 'grpc', 'websocket', 'worker'];

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

let folder: string;
const placeOf = (name: string) => join(folder, 'copies', name);
const manifestOf = async (name: string) =>
  JSON.parse(await readFile(join(placeOf(name), 'package.json'), 'utf8')) as Manifest;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
  await run('tsc', ['-b'], { cwd: root });
  const tarballs: [string, string][] = [];
  for (const name of PACKED) tarballs.push([name, await pack(name, folder)]);
  for (const name of EXAMPLES) {
    await cp(join(root, 'examples', name), placeOf(name), { recursive: true });
    const { dependencies, devDependencies } = await manifestOf(name);
    for (const [packed, tarball] of tarballs) await unpack(packed, tarball, placeOf(name));
    for (const library of Object.keys({ ...dependencies, ...devDependencies })) {
      const from = join(root, 'node_modules', library);
      await link(from, join(placeOf(name), 'node_modules', library));
    }
  }
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

let stack: Stack;
let registry: RegistryProcess;
let started: TestProcess[];
let client: Rollcall;
beforeEach(async () => {
  stack = new Stack();
  started = [];
  registry = await stack.registry(['--warm-up-ms', '0']);
  client = new Rollcall({ url: registry.url });
});
afterEach(async () => {
  await Promise.all(started.map((one) => one.stop('SIGKILL')));
  await client.close();
  await stack.close();
});

/** Starts what a script of the example names: `npm start`, or `npm run SCRIPT`, without npm between it and the signals. */
async function start(name: string, script = 'start'): Promise<TestProcess> {
  const { scripts } = await manifestOf(name);
  const [, file = ''] = /(?:^|&& )node (\S+)$/.exec(scripts[script] ?? '') ?? [];
  const child = new TestProcess(process.execPath, [file], {
    cwd: placeOf(name),
    env: { NODE_OPTIONS: '', ROLLCALL_URL: registry.url },
  });
  started.push(child);
  return child;
}

async function ended(child: TestProcess): Promise<string> {
  await until(() => child.hasExited, { withinMs: 60_000 });
  expect(child.output).not.toContain('Warning');
  return child.output;
}

/** Runs a caller until all of these have answered: chance may give its six calls to one. */
async function answeredBy(expected: readonly string[], name: string, script?: string) {
  const seen = new Set<string>();
  await until(async () => {
    const caller = await start(name, script);
    const lines = (await ended(caller)).trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(caller.child.exitCode).toBe(0);
    for (const line of lines) seen.add(line);
    return seen.size >= expected.length;
  });
  expect(seen).toEqual(new Set(expected));
}

test('each has what its folder needs to be copied', async () => {
  const folders = await readdir(join(root, 'examples'), { withFileTypes: true });
  const known = new Set(folders.filter((one) => one.isDirectory()).map(({ name }) => name));
  for (const name of EXAMPLES) {
    expect(known).toContain(name);
    const { dependencies } = await manifestOf(name);
    expect(dependencies).toHaveProperty('@rollcall/client-sdk');
    const readme = await readFile(join(placeOf(name), 'README.md'), 'utf8');
    expect(readme).toContain('npm install\nnpm start');
    for (const [, script = ''] of readme.matchAll(/npm run (\S+)/g))
      expect((await manifestOf(name)).scripts).toHaveProperty(script);
  }
});

test.each(EXAMPLES)('%s compiles against the types of the packages', async (name) => {
  const cwd = placeOf(name);
  const files = (await readdir(cwd)).filter((file) => file.endsWith('.ts'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions'];
  const target = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const own = name === 'nestjs' ? ['--noEmit'] : [...options, ...target, ...files];
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { stdout } = await run(tsc, own, { cwd }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

describe.each(FRAMEWORKS)('%s', (name) => {
  beforeAll(async () => {
    const { scripts } = await manifestOf(name);
    if (!scripts['start']?.startsWith('tsc')) return;
    const tsc = join(placeOf(name), 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc], { cwd: placeOf(name) });
  });

  test('instances call each other, close, and leave without failing a call', async () => {
    const [first, second] = [await start(name), await start(name)];
    const [, address = ''] = await first.printed(/orders at (http\S+)/);
    await second.printed(/orders at http/);
    const orders = client.service('orders');
    await orders.ready({ endpoints: 2 });

    const neighbours = new Set<number>();
    await until(async () => {
      const reply = await fetch(`${address}/neighbour`);
      const { neighbour } = (await reply.json()) as { neighbour: { from: number } };
      neighbours.add(neighbour.from);
      return neighbours.size === 2;
    });
    expect(neighbours).toEqual(new Set([first.pid, second.pid]));

    const states = () => orders.endpoints().map(({ state }) => state);
    await fetch(`${address}/shop/closed`, { method: 'PUT' });
    await until(() => states().includes('down'));
    await fetch(`${address}/shop/open`, { method: 'PUT' });
    await until(() => states().every((state) => state === 'up'));

    const failed: unknown[] = [];
    const over = new AbortController();
    const callers = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        const reply = await orders.request('/').catch((error: unknown) => error);
        if (reply instanceof Error) failed.push(reply);
        else await (reply as Awaited<ReturnType<typeof orders.request>>).body.json();
      }
    });
    await first.stop('SIGTERM');
    over.abort();
    await Promise.all(callers);
    expect(failed).toEqual([]);
    expect(await ended(first)).toContain('closed');
    await until(() => orders.endpoints().length === 1);
    await second.stop('SIGINT');
    expect(await ended(second)).toContain('closed');
    await until(() => orders.endpoints().length === 0);
  });
});

test.each(['axios', 'got'])('%s calls every instance of a service', async (name) => {
  for (const id of ['hello-a', 'hello-b']) await stack.hello(id, [registry.url]);
  await answeredBy(['hello from hello-a', 'hello from hello-b'], name);
});

test('grpc: the calls go to both servers, and a server that leaves closes', async () => {
  const servers = [await start('grpc'), await start('grpc')];
  for (const server of servers) await server.printed(/greeter at port \d+/);
  const froms = servers.map(({ pid }) => `hello world, from ${pid}`);
  await answeredBy(froms, 'grpc', 'call');
  expect(await servers[0]?.stop('SIGTERM')).toBe(0);
  expect(servers[0]?.output).toContain('closed');
  await answeredBy(froms.slice(1), 'grpc', 'call');
});

test('websocket: a client is sent to the other instance, and none is cut off', async () => {
  const servers = [await start('websocket'), await start('websocket')];
  for (const server of servers) await server.printed(/chat at port \d+/);
  const listener = await start('websocket', 'listen');
  const [, pid] = await listener.printed(/(\d+) heard hello/);
  const [own, other] = servers[0]?.pid === Number(pid) ? servers : servers.toReversed();
  expect(await own?.stop('SIGTERM')).toBe(0);
  expect(own?.output).toContain('closed, 0 cut off');
  await listener.printed(new RegExp(`closed with 1001\\n${other?.pid} heard hello`));
  await other?.stop('SIGKILL');
  const third = await start('websocket');
  await listener.printed(new RegExp(`closed with 1006\\n[^]*${third.pid} heard hello`));
});

test('worker: it is on the roll, and finishes its job before it leaves', async () => {
  const worker = await start('worker');
  await worker.printed(/mailer at port \d+/);
  const mailer = client.service('mailer');
  await mailer.ready();
  expect(mailer.endpoints()).toMatchObject([{ state: 'up', labels: { queue: 'mail' } }]);
  const reply = await mailer.request('/');
  expect(await reply.body.json()).toMatchObject({ isRunning: true, from: worker.pid });
  const begun = () => [...worker.output.matchAll(/job \d+ begins/g)].length;
  const done = () => [...worker.output.matchAll(/job \d+ is done/g)].length;
  await until(() => begun() > done());
  expect(await worker.stop('SIGTERM')).toBe(0);
  expect(begun()).toBe(done());
  expect(worker.output).toContain(`closed, ${done()} done`);
  await until(() => mailer.endpoints().length === 0);
});
