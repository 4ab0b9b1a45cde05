import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkedProject } from './runtimes/project.ts';
import { exerciseFault } from './runtimes/run.ts';
import { isThere, RUNTIMES } from './runtimes/runtimes.ts';
import { type RegistryProcess, Stack } from './support/stack.ts';

// The quick part of `npm run runtimes`: on this Node.js, and on what that command, or the continuous integration, has
// fetched before.
const stack = new Stack();
let folder: string;
let project: string;
let registry: RegistryProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runtimes-'));
  [project, registry] = await Promise.all([
    linkedProject(folder),
    stack.registry(['--warm-up-ms', '0']),
  ]);
}, 180_000);
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

const found = RUNTIMES.filter(isThere).map((runtime) => [runtime.name, runtime] as const);

test.each(found)('%s: the SDK as it is packed', async (_name, runtime) => {
  expect(await exerciseFault(project, runtime, registry.url)).toBeUndefined();
});
