import { startNode, until } from '@rollcall/testkit';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const index = new URL('index.ts', import.meta.url).href;

/** What leaves open the most: clients, instances in every condition, a registry that came back. */
const SCRIPT = `
import { TestRegistry } from '${index}';
for (const clock of ['real', 'manual']) {
  const registry = await TestRegistry.start({ clock });
  const orders = registry.client({ logger: { info() {}, warn() {} } }).service('orders');
  const instances = [];
  for (let i = 0; i < 4; i++) instances.push(await registry.addInstance('orders'));
  await orders.ready();
  await (await orders.request('/')).body.text();
  await registry.goAway();
  await registry.comeBack({ empty: true });
  await instances[0].die();
  instances[1].vanish();
  instances[2].hang();
  orders.request('/').catch(() => {});
  if (clock === 'manual') await registry.turn('20s');
  await registry.stop();
}
console.log('stopped');
`;

test('after stop nothing keeps the process: it ends by itself, with code 0', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'testing-'));
  try {
    const file = join(folder, 'script.mjs');
    writeFileSync(file, SCRIPT);
    const process = startNode(file, []);
    await process.printed(/stopped/);
    await until(() => process.hasExited, { withinMs: 10_000, what: 'the end of the process' });
    expect(process.child.exitCode).toBe(0);
    expect(process.output).toBe('stopped\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
