// Runs the SDK as it is packed on every JavaScript host that it promises to run on, and the example of jest in
// docs/testing.md; exits with 1 when something fails. Hosts that are not here are fetched from the npm registry into
// .toolchain/runtimes. Words choose some of them: `npm run runtimes -- deno jest`.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stack } from '../support/stack.ts';
import { jestFault } from './jest.ts';
import { installedProject, packAll, SDK, TESTING } from './project.ts';
import { exerciseFault } from './run.ts';
import { fetchRuntime, isThere, RUNTIMES } from './runtimes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const words = process.argv.slice(2).map((word) => word.toLowerCase());
const isChosen = (name: string) =>
  words.length === 0 || words.some((word) => name.toLowerCase().includes(word));
const chosen = RUNTIMES.filter(({ name }) => isChosen(name));
const hasJest = isChosen('jest');
if (chosen.length === 0 && !hasJest) {
  const known = [...RUNTIMES.map(({ name }) => name), 'jest'].join(', ');
  console.error(`${words.join(' ')}: expected a part of ${known}`);
  process.exit(2);
}

let failures = 0;
async function report(name: string, work: () => Promise<string | undefined>, fine = 'ok') {
  const fault = await work().catch((error: unknown) => String(error));
  if (fault !== undefined) failures++;
  console.log(`${name}: ${fault ?? fine}`);
}

const folder = await mkdtemp(join(tmpdir(), 'rollcall-runtimes-'));
const stack = new Stack();
try {
  const tarballs = await packAll(hasJest ? [...SDK, ...TESTING] : SDK, folder);
  if (chosen.length > 0) {
    const undici = await readFile(join(root, 'node_modules/undici/package.json'), 'utf8');
    const { version } = JSON.parse(undici) as { version: string };
    const parts = { packages: SDK, libraries: [`undici@${version}`] };
    const project = await installedProject(join(folder, 'project'), tarballs, parts);
    const { url } = await stack.registry(['--warm-up-ms', '0']);
    for (const runtime of chosen) {
      const { name, isRefused = false } = runtime;
      if (!isThere(runtime)) console.log(`${name}: fetching ${runtime.source}`);
      const fine = isRefused ? 'refused in one sentence, as documented' : 'ok';
      await report(
        name,
        async () => {
          await fetchRuntime(runtime);
          return exerciseFault(project, runtime, url);
        },
        fine,
      );
    }
  }
  if (hasJest) await report('jest', () => jestFault(folder, tarballs));
} finally {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
