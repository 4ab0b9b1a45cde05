import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startNode, until } from '@rollcall/testkit';

const program = fileURLToPath(new URL('../soak/main.ts', import.meta.url));

// `npm run soak -- --minutes 30` is the long form. SOAK_SEED for another half minute.
test('G1 to G8: half a minute of random trouble breaks no promise', async () => {
  const seed = process.env['SOAK_SEED'] ?? '2';
  const soak = startNode(program, ['--minutes', '0.5', '--seed', seed]);
  await until(() => soak.hasExited, { withinMs: 150_000 });
  expect(soak.child.exitCode, soak.output).toBe(0);
  console.log(soak.output);
}, 180_000);
