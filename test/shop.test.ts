import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, TestProcess, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PastedDocument } from './support/pasted-document.ts';
import { type RegistryProcess, Stack } from './support/stack.ts';
import { isInstalled } from './support/installed.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const shopFile = (name: string) => join(root, 'examples/shop', name);

let stack: Stack;
let registry: RegistryProcess;
let started: TestProcess[];

beforeEach(async () => {
  stack = new Stack();
  started = [];
  registry = await stack.registry(['--warm-up-ms', '0']);
});
afterEach(async () => {
  await Promise.all(started.map((one) => one.stop('SIGKILL')));
  await stack.close();
});

async function start(name: string): Promise<TestProcess> {
  const env = { ROLLCALL_URL: registry.url };
  const child = name.endsWith('.py')
    ? new TestProcess('python3', [shopFile(name)], { env })
    : startNode(shopFile(name), [], { env, cwd: root });
  started.push(child);
  await child.printed(/ on port \d+/);
  return child;
}

test('the shop of the example is broken and mended as its text says', async ({ skip }) => {
  if (!isInstalled('python3')) skip('this machine has no python3');
  const catalogs = [await start('catalog.ts'), await start('catalog.ts')];
  const stock = await start('stock.py');
  await start('shop.ts');
  const [port, admin] = [await freePort(), await freePort()];
  const env = { ROLLCALL_URL: registry.url, SHOP_PORT: `${port}`, SHOP_ADMIN_PORT: `${admin}` };
  const main = join(root, 'packages/lb/src/main.ts');
  started.push(startNode(main, ['--config', shopFile('lb.yaml')], { env, cwd: root }));
  const page = async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    return reply?.status === 200 ? reply.text() : undefined;
  };
  const whole =
    /^kettle: 29 EUR, 4 left\nteapot: 35 EUR, 0 left\ncup: 9 EUR, 120 left\n\(from shop-\d+ and (catalog-\d+)\)\n$/;
  const seen = new Set<string>();
  await until(
    async () => {
      const [, from] = whole.exec((await page()) ?? '') ?? [];
      if (from !== undefined) seen.add(from);
      return seen.size === 2;
    },
    { withinMs: 60_000 },
  );

  catalogs[0]?.signal('SIGKILL');
  for (let i = 0; i < 10; i++) expect(await page()).toMatch(whole);

  stock.signal('SIGKILL');
  await until(async () => (await page())?.includes('kettle: 29 EUR, stock unknown') === true);

  await registry.process.stop('SIGKILL');
  expect(await page()).toContain('cup: 9 EUR');

  registry = await stack.registry(['--warm-up-ms', '0'], registry.port);
  const again = await start('stock.py');
  await until(async () => whole.test((await page()) ?? ''), { withinMs: 60_000 });
  expect(await again.stop('SIGTERM')).toBe(0);
  await until(async () => (await page())?.includes('stock unknown') === true);
}, 180_000);

test('the commands of its text, pasted at once, serve a page and end', async ({ skip }) => {
  if (!isInstalled('python3')) skip('this machine has no python3');
  const pasted = await PastedDocument.open(shopFile('README.md'), [7400, 7488, 8088]);
  try {
    for (const { step, seen } of await pasted.played(120_000)) {
      const settled = (text: string) => text.replaceAll(/-\d+/g, '-PID');
      expect(`$ ${step.command}\n${settled(seen.output)}`).toBe(
        `$ ${step.command}\n${settled(step.output)}`,
      );
      expect(seen.exitCode, step.command).toBe(0);
    }
    await pasted.ended();
  } finally {
    pasted.close();
  }
}, 180_000);
