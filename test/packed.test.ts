import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freeNodePort, freePort, TestProcess, until } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { install, link, nameOf } from './support/packed.ts';

// What a user installs: the packages as they are packed, in a folder outside the repository. Only the libraries of
// others are linked from here instead of downloaded.
const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** The report of vitest. */
interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

let folder: string;
let project: string;
const names: string[] = [];
const inProject = (path: string) => join(project, 'node_modules', path);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packed-'));
  project = join(folder, 'project');
  await cp(join(root, 'examples/store-driver'), project, { recursive: true });
  await run('tsc', ['-b'], { cwd: root });
  const packages = (await readdir(join(root, 'packages'))).filter((name) => name !== 'testkit');
  names.push(...packages);
  for (const name of packages) await install(name, folder, project);
  for (const library of ['vitest', '@types/node']) {
    await link(join(root, 'node_modules', library), inProject(library));
  }
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs Node.js in the project as a user does: without this workspace's conditions. */
async function node(args: readonly string[]): Promise<TestProcess> {
  const child = new TestProcess(process.execPath, args, {
    cwd: project,
    env: { NODE_OPTIONS: '' },
  });
  await until(() => child.hasExited, { withinMs: 120_000 });
  return child;
}

test('the example of a store driver passes the conformance suite', async () => {
  const report = join(folder, 'report.json');
  const args = ['run', '--reporter=json', `--outputFile=${report}`, '--configLoader=native'];
  const { output } = await node([inProject('vitest/vitest.mjs'), ...args]);
  const text = await readFile(report, 'utf8').catch(() => expect.fail(output));
  const { numTotalTests, testResults } = JSON.parse(text) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect(numTotalTests).toBeGreaterThan(60);
});

test('it compiles against the types of the packages', async () => {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions'];
  const target = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const files = ['sqlite-store.ts', 'sqlite-store.test.ts'];
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { stdout } = await run(tsc, [...options, ...target, ...files], { cwd: project });
  expect(stdout).toBe('');
});

test('a registry runs on it, and knows its leases again after it was killed', async () => {
  const port = await freePort();
  const program = inProject('@rollcall/registry-server/dist/main.js');
  const options = ['--port', `${port}`, '--store', 'sqlite:roll.db'];
  const args = [program, ...options, '--store-driver', './sqlite-store.ts'];
  const start = async () => {
    const child = new TestProcess(process.execPath, args, {
      cwd: project,
      env: { NODE_OPTIONS: '' },
    });
    await child.printed(/"msg":"listening"/);
    return child;
  };
  const url = `http://127.0.0.1:${port}/v1`;
  const put = (at: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${url}/${at}`, { method: 'PUT', headers, body: JSON.stringify(body) });
  };
  let registry = await start();
  expect(registry.output).toContain('sqlite by ./sqlite-store.ts');
  const instance = { address: '127.0.0.1', ports: { http: 3_000 }, ttlMs: 60_000 };
  const at = 'namespaces/default/services/orders/instances/a1';
  const { lease } = (await (await put(at, instance)).json()) as { lease: { id: string } };
  await registry.stop('SIGKILL');
  registry = await start();
  await until(async () => (await put(`leases/${lease.id}`, {})).status === 204);
  const reply = await fetch(`${url}/namespaces/default/services/orders/endpoints`);
  expect(await reply.json()).toMatchObject({ endpoints: [{ instance: 'a1', state: 'up' }] });
  expect(await registry.stop()).toBe(0);
});

test('a scheme without a driver, and a module that is none, are refused', async () => {
  const program = inProject('@rollcall/registry-server/dist/main.js');
  const none = await node([program, '--store', 'etcd://me:secret@127.0.0.1']);
  expect(none.child.exitCode).toBe(2);
  expect(none.output).toContain(
    'or --store-driver with a module that opens it, got the scheme "etcd"',
  );
  expect(none.output).not.toContain('secret');
  await writeFile(join(project, 'empty.mjs'), 'export const open = 1;');
  for (const [module, reason] of [
    ['./missing.ts', 'Cannot find module'],
    ['./empty.mjs', 'expected a module that exports the function openStore, got open'],
  ] as const) {
    const refused = await node([program, '--store', 'x:y', '--store-driver', module]);
    expect(refused.child.exitCode).toBe(2);
    expect(refused.output).toContain(`--store-driver ${module}: `);
    expect(refused.output).toContain(reason);
  }
});

/** A TypeScript example of a document: the first one with this text. */
async function exampleOf(file: string, text: string): Promise<string> {
  const document = await readFile(file, 'utf8');
  const blocks = [...document.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, body = '']) => body);
  return blocks.find((body) => body.includes(text)) ?? expect.fail(`no example with ${text}`);
}

test('the page on testing: its examples run in the test runner of Node.js and in vitest', async () => {
  const page = join(root, 'docs/testing.md');
  const place = join(project, 'shop');
  await mkdir(place);
  const files = {
    'shop.ts': '// shop.ts',
    'shop.test.ts': 'node --test',
    'ttl.test.ts': 'vitest run',
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(place, name), await exampleOf(page, text));
  const own = await node(['--test', 'shop/shop.test.ts']);
  expect(own.output).toMatch(/pass 2\n/);
  expect(own.child.exitCode).toBe(0);
  const args = ['run', '--configLoader=native', 'shop/ttl.test.ts'];
  const vitest = await node([inProject('vitest/vitest.mjs'), ...args]);
  expect(vitest.output).toMatch(/1 passed/);
  expect(vitest.child.exitCode).toBe(0);
});

test('a real registry in a test needs no test runner', async () => {
  await rm(inProject('vitest'), { force: true });
  const readme = inProject('@rollcall/testing/README.md');
  await writeFile(join(project, 'real.ts'), await exampleOf(readme, 'TestRegistry'));
  const { child, output } = await node(['real.ts']);
  expect(output).toBe('200 true\n');
  expect(child.exitCode).toBe(0);
});

test('the light registry for tests of a service needs no test runner', async () => {
  await rm(inProject('vitest'), { force: true });
  const readme = await readFile(inProject('@rollcall/client-sdk/README.md'), 'utf8');
  const [, example = ''] = /```ts\n([^`]*FakeRegistry[^`]*)```/.exec(readme) ?? [];
  expect(example).toContain('endpointAt(3000)');
  await writeFile(join(project, 'example.ts'), `${example}\nconsole.log(picked);\n`);
  const { child, output } = await node(['example.ts']);
  expect(output).toMatch(/kind: 'picked'[^]*port: 3000/);
  expect(child.exitCode).toBe(0);
});

test('every package has its licence and what it says about itself', async () => {
  for (const name of names) {
    const licence = await readFile(inProject(`${nameOf(name)}/LICENSE`), 'utf8');
    expect(licence).toContain('MIT License');
    const text = await readFile(inProject(`${nameOf(name)}/package.json`), 'utf8');
    const manifest = JSON.parse(text) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      license: 'MIT',
      repository: { directory: `packages/${name}` },
      publishConfig: { access: 'public' },
    });
    expect(text).not.toMatch(/"(workspace|catalog):/);
  }
});

test('the SDK can be required too', async () => {
  const script = `const { Rollcall } = require('@rollcall/client-sdk'); console.log(typeof Rollcall)`;
  const { child, output } = await node(['--input-type=commonjs', '-e', script]);
  expect(output).toBe('function\n');
  expect(child.exitCode).toBe(0);
});

test('rollcall dev starts everything, from the packages alone', async () => {
  const options = ['registry-port', 'lb-port', 'lb-admin-port', 'dns-port'];
  const ports = await Promise.all(
    options.map(async (option) => [`--${option}`, `${await freePort()}`]),
  );
  const cidr = `127.${100 + Math.floor(Math.random() * 100)}.0.0/16`;
  const argv = [...ports.flat(), '--service-cidr', cidr, '--node-port', `${await freeNodePort()}`];
  const program = inProject('rollcall/dist/main.js');
  const env = { NODE_OPTIONS: '' };
  const stack = new TestProcess(process.execPath, [program, 'dev', ...argv], { cwd: project, env });
  const [text] = await stack.printed(/Things to try[^]*Ctrl-C ends everything/, 120_000);
  expect(text).toContain('npx rollcall describe svc hello');
  const [, lb = ''] = await stack.printed(/load balancer +(\S+)/);
  expect(await (await fetch(lb)).text()).toMatch(/^hello from hello-[abc]\n$/);
  expect(await stack.stop('SIGINT')).toBe(0);
  expect(stack.output).not.toMatch(/[1-9]\d* failed/);
});

test('every entry of every package can be imported', async () => {
  const entries = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(inProject(`${nameOf(name)}/package.json`), 'utf8');
      const { exports = {} } = JSON.parse(text) as { exports?: Record<string, unknown> };
      return Object.keys(exports)
        .filter((entry) => !entry.endsWith('.json') && entry !== './testing')
        .map((entry) => `${nameOf(name)}${entry.slice(1)}`);
    }),
  );
  const script = entries.flat().map((entry) => `await import('${entry}');`);
  const { child, output } = await node(['--input-type=module', '-e', script.join('\n')]);
  expect(output).toBe('');
  expect(child.exitCode).toBe(0);
});
