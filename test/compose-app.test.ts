import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestProcess, until } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalCompose } from './support/compose.ts';
import { isInstalled } from './support/installed.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const app = ['shop', 'catalog-1', 'catalog-2', 'stock'];
const page =
  /^kettle: 29 EUR, 4 left\nteapot: 35 EUR, 0 left\ncup: 9 EUR, 120 left\n\(from shop and (catalog-[12])\)\n$/;

let stack: LocalCompose;
const started = new Map<string, TestProcess>();

beforeAll(async () => {
  stack = await LocalCompose.open(join(root, 'examples/compose-app/docker-compose.yml'), [
    'redis:6379',
    'registry:7400',
    'lb:8080',
    'lb:7480',
    ...app.map((name) => `${name}:3000`),
  ]);
  await stack.startRedis('redis');
  stack.start('registry');
  await until(async () => (await fetch(`${stack.url('registry:7400')}/readyz?for=writes`)).ok);
}, 60_000);
afterAll(() => stack.close());

test('the app of the example answers, and the death of an instance fails no call', async ({
  skip,
}) => {
  if (!isInstalled('python3')) skip('this machine has no python3');
  for (const name of ['lb', ...app]) started.set(name, stack.start(name));
  const customer = async () => (await fetch(stack.url('lb:8080'))).text();
  const seen = new Set<string>();
  const bothAnswer = () =>
    until(
      async () => {
        const [, from] = page.exec(await customer()) ?? [];
        if (from !== undefined) seen.add(from);
        return seen.size === 2;
      },
      { withinMs: 60_000, what: 'pages from both catalogs' },
    );
  await bothAnswer();
  const stock = await fetch(`${stack.url('lb:8080')}/stock/kettle`);
  expect(await stock.json()).toEqual({ count: 4 });

  started.get('catalog-1')?.signal('SIGKILL');
  for (let i = 0; i < 50; i++) expect(await customer()).toMatch(page);

  stack.start('catalog-1');
  seen.clear();
  await bothAnswer();
}, 180_000);

test('the commands of the file show the roll, and nobody sees it without a token', async () => {
  const instances = stack.start('rollcall', ['get', 'instances', '-o', 'name']);
  await until(() => instances.hasExited);
  expect(instances.child.exitCode).toBe(0);
  for (const name of app) expect(instances.output).toMatch(new RegExp(`/${name}$`, 'm'));
  const bare = await fetch(`${stack.url('registry:7400')}/v1/namespaces/default/services`);
  expect(bare.status).toBe(401);
});
