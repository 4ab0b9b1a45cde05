import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../packaging/tarball/bin/rollcall', import.meta.url));
let folder: string;
let script: string;

beforeAll(() => {
  // With a space, as folders of people have.
  folder = mkdtempSync(join(tmpdir(), 'start script-'));
  script = join(folder, 'home/bin/rollcall');
  cpSync(source, script);
  mkdirSync(join(folder, 'home/lib/dist'), { recursive: true });
  const main = 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 3;';
  writeFileSync(join(folder, 'home/lib/package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'home/lib/dist/main.js'), main);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

/** Runs a command without this machine's node on PATH. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const path = `${join(folder, 'tools')}:${env['PATH'] ?? ''}`;
  for (const tool of ['sh', 'dirname', 'readlink']) linkTool(tool);
  const options = { cwd: tmpdir(), env: { ...env, PATH: path } };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
}

function linkTool(name: string): void {
  const path = join(folder, 'tools', name);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(`/usr/bin/${name}`, path);
}

/** A folder with a `node` that only says its version. */
function fakeNode(version: string): string {
  const path = join(folder, version, 'node');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  return dirname(path);
}

const works = { code: 3, output: '["get","a b",""]\n' };
const words = ['get', 'a b', ''];

test('starts the node on PATH with the arguments as they are, and ends with its exit code', async () => {
  expect(await run(script, words, { PATH: dirname(process.execPath) })).toEqual(works);
});

test('starts the node of ROLLCALL_NODE, whatever is on PATH', async () => {
  const env = { ROLLCALL_NODE: process.execPath, PATH: fakeNode('v20.19.0') };
  expect(await run(script, words, env)).toEqual(works);
});

test('works through a chain of links, relative and absolute', async () => {
  symlinkSync('home/bin/rollcall', join(folder, 'first'));
  symlinkSync(join(folder, 'first'), join(folder, 'second'));
  const env = { ROLLCALL_NODE: process.execPath, CDPATH: '/' };
  expect(await run(join(folder, 'second'), words, env)).toEqual(works);
});

test.each([
  [
    'none',
    () => ({}),
    'Node.js 24 or later is needed, and there is no node on PATH: install it, or set ROLLCALL_NODE to its path',
  ],
  [
    'too old',
    () => ({ PATH: fakeNode('v22.19.0') }),
    'Node.js 24 or later is needed, and node is v22.19.0: install a newer one, or set ROLLCALL_NODE to its path',
  ],
  [
    'named, and missing',
    () => ({ ROLLCALL_NODE: '/nowhere/node' }),
    'ROLLCALL_NODE: expected the path of Node.js 24 or later, got "/nowhere/node", which does not start',
  ],
  [
    'another program',
    () => ({ PATH: fakeNode('hello') }),
    'Node.js 24 or later is needed, and node says that it is "hello"',
  ],
])('says in one sentence what is missing: %s', async (_, env, sentence) => {
  expect(await run(script, [], env())).toEqual({ code: 1, output: `rollcall: ${sentence}\n` });
});
