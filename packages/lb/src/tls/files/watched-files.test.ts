import { chmodSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TlsFiles } from '../../testing/tls-files.ts';
import { WatchedFiles } from './watched-files.ts';

test('a change counts once, and only when the files are quiet again', async () => {
  const files = new TlsFiles();
  const paths = ['a', 'b'].map((name) => files.write(name, '1'));
  const watched = new WatchedFiles([...paths, ...paths]);
  expect(watched.files).toEqual(paths);
  const look = () => watched.haveChanged();
  expect(await look()).toBe(false);
  files.write('a', '2');
  expect(await look()).toBe(false);
  files.write('b', '2');
  expect(await look()).toBe(false);
  expect([await look(), await look()]).toEqual([true, false]);
});

test('a file that goes, comes back, or becomes readable has changed', async () => {
  const files = new TlsFiles();
  const path = files.write('a', '1');
  const watched = new WatchedFiles([path]);
  const changes = async () => [await watched.haveChanged(), await watched.haveChanged()];
  rmSync(path);
  expect(await changes()).toEqual([false, true]);
  files.write('a', '1');
  expect(await changes()).toEqual([false, true]);
  chmodSync(path, 0o600);
  expect(await changes()).toEqual([false, true]);
});

test('a change that was taken back is none', async () => {
  const files = new TlsFiles();
  const path = files.path('a');
  const watched = new WatchedFiles([path]);
  files.write('a', '1');
  expect(await watched.haveChanged()).toBe(false);
  rmSync(path);
  expect([await watched.haveChanged(), await watched.haveChanged()]).toEqual([false, false]);
});
