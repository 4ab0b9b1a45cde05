import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOptions } from './read-options.ts';
import { REGISTRY_OPTIONS, registryAccess } from './registry-options.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const URL_FLAG = '--registry=http://127.0.0.1:7400';
const read = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  registryAccess(readOptions(REGISTRY_OPTIONS, [URL_FLAG, ...argv], env));

function fileWith(text: string): string {
  const file = join(folder, 'token');
  writeFileSync(file, text);
  return file;
}

test('a token comes from a flag, a variable or a file', () => {
  const file = fileWith('secret-token\n');
  expect(read(['--token=t'])).toMatchObject({ token: 't' });
  expect(read([], { ROLLCALL_TOKEN: 't' })).toMatchObject({ token: 't' });
  expect(read(['--token-file', file])).toMatchObject({ token: 'secret-token' });
  expect(read([], { ROLLCALL_TOKEN_FILE: file })).toMatchObject({ token: 'secret-token' });
  expect(read([])).not.toHaveProperty('token');
});

test('two tokens are refused, and so is a file without exactly one, which is not shown', () => {
  const file = fileWith('one-secret\nanother-secret\n');
  const refused = `--token-file: expected a file with a token (it has no line, or several), got "${file}"`;
  expect(() => read(['--token-file', file])).toThrow(refused);
  fileWith('\n');
  expect(() => read(['--token-file', file])).toThrow('it has no line, or several');
  expect(() => read(['--token-file', `${file}-missing`])).toThrow('(ENOENT)');
  fileWith('secret-token');
  expect(() => read(['--token=t', '--token-file', file])).toThrow(
    'token and token file: expected at most one of them',
  );
});
