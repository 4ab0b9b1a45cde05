import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isUnneeded, removeUnneeded } from './unneeded.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unneeded-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text = ''): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test.each([
  'node_modules/a/index.d.ts',
  'node_modules/a/dist/index.js.map',
  'node_modules/@s/a/README.md',
  'node_modules/@s/a/test/index.js',
  'node_modules/a/node_modules/b/docs/index.html',
  'node_modules/a/.travis.yml',
  'node_modules/@rollcall/registry-server/src/testing/tls/server.key',
  'src/main.ts',
  'README.md',
])('%s is not needed', (path) => {
  expect(isUnneeded(path)).toBe(true);
});

test.each([
  'node_modules/a/index.js',
  'node_modules/a/LICENSE.md',
  'node_modules/a/lib/parser/licence.txt',
  'node_modules/a/src/index.js',
  // Only folders of the package itself are known to be for its developers.
  'node_modules/a/lib/test/index.js',
  'node_modules/@rollcall/registry-server/lua/grant.lua',
  'dev/lb.yaml',
  'dist/main.js',
])('%s is needed', (path) => {
  expect(isUnneeded(path)).toBe(false);
});

test('what is left imports nothing that was removed', () => {
  write('node_modules/a/index.js', "/** @type {import('./types.ts')} */\nrequire('./lib/b')");
  write('node_modules/a/lib/b.js');
  write('node_modules/a/types.ts');
  write('node_modules/a/test/a.js');
  removeUnneeded(folder);
  expect(readdirSync(join(folder, 'node_modules/a')).toSorted()).toEqual(['index.js', 'lib']);
});

test('a file that is imported all the same is named', () => {
  write('node_modules/a/index.js', "require('./test/a')");
  write('node_modules/a/test/a.js');
  expect(() => removeUnneeded(folder)).toThrow(
    'still needed:\nnode_modules/a/index.js imports node_modules/a/test/a.js',
  );
});
