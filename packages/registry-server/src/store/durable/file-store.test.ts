import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { bodyOf } from '../../testing/conformance/cases.ts';
import { storeConformance } from '../../testing/store-conformance.ts';
import { MemoryStore } from '../memory/memory-store.ts';
import { DurableFile } from './durable-file.ts';
import { FileStore } from './file-store.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-store-'));
  path = join(folder, 'roll.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let opened = 0;
const clock = new ManualClock(1_800_000_000_000);

function open(): Promise<FileStore> {
  clock.advance(1_000);
  const inner = new MemoryStore({ clock, epoch: `file-${opened++}`, logLength: 1_000 });
  return FileStore.open(inner, new DurableFile(path));
}

const POOLS = {
  clusterIps: { first: 1_000, last: 1_009, reserved: 0 },
  nodePorts: { first: 30_000, last: 30_009, reserved: 0 },
};
const declare = (store: FileStore, name: string) =>
  store.put({
    items: [
      {
        key: `service/default/${name}`,
        value: `{"name":"${name}"}`,
        forMs: 0,
        why: 'created',
        expected: 0,
        claims: [{ pool: 'clusterIps', number: undefined }],
      },
    ],
    pools: POOLS,
    floor: 0,
  });

storeConformance('a file beside memory', async ({ logLength = 10_000, guardMs } = {}) => {
  const own = await mkdtemp(join(tmpdir(), 'file-store-'));
  const manual = new ManualClock(1_800_000_000_000);
  const inner = new MemoryStore({ clock: manual, epoch: `c-${opened++}`, logLength, guardMs });
  const store = await FileStore.open(inner, new DurableFile(join(own, 'roll.json')));
  return {
    store,
    async advance(ms) {
      if (ms >= 0) manual.advance(ms);
      else manual.step(ms);
    },
    async close() {
      await store.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

describe('after a restart', () => {
  test('declared objects have their addresses, overrides and persistent instances are there, leases are not', async () => {
    const before = await open();
    await declare(before, 'web');
    await before.put({
      items: [{ key: 'override/default/a/1', value: '{}', forMs: 0, why: 'overridden' }],
      floor: 0,
    });
    await before.put({
      items: [{ key: 'report/default/web/lb', value: '{}', forMs: 9_000, why: 'reported' }],
      floor: 0,
    });
    const grant = { nonce: '', takeover: false, body: bodyOf(), maxInstances: 10, floor: 0 };
    await before.grant({ ...grant, field: 'default/a/persistent', lease: '' });
    await before.grant({ ...grant, field: 'default/a/leased', lease: `0.10000.${'0'.repeat(32)}` });
    const { resources } = await before.snapshot();
    await before.close();

    const after = await open();
    const snapshot = await after.snapshot();
    const kept = resources.filter(({ key }) => !key.startsWith('report/'));
    expect(snapshot.resources).toEqual(kept);
    expect(snapshot.instances.map(({ id }) => id)).toEqual(['persistent']);
    expect(await declare(after, 'other')).toMatchObject({ kind: 'put' });
    const numbers = (await after.snapshot()).resources.flatMap(({ claims }) => claims);
    expect(new Set(numbers.map(({ number }) => number)).size).toBe(2);
    await after.close();
  });

  test('what was answered is in the file, whatever becomes of the process', async () => {
    const store = await open();
    await Promise.all(Array.from({ length: 8 }, (_, i) => declare(store, `s${i}`)));
    const part = await new DurableFile(path).read();
    expect(part?.resources).toHaveLength(8);
    expect((await readdir(folder)).toSorted()).toEqual(['roll.json', 'roll.json.lock']);
  });
});

describe('a damaged file', () => {
  const damage = async (change: (text: string) => string) => {
    const store = await open();
    await declare(store, 'web');
    await store.close();
    await writeFile(path, change(await readFile(path, 'utf8')));
  };

  test.each<[string, (text: string) => string, RegExp]>([
    ['cut short', (text) => text.slice(0, -20), /expected JSON .* cut short/],
    ['empty', () => '', /expected JSON/],
    [
      'changed',
      (text) => text.replace('web', 'wob'),
      /expected checksum sha256:.*changed or damaged/,
    ],
    [
      'of another version',
      (text) => text.replace('"version":1', '"version":2'),
      /expected version 1, got 2/,
    ],
    ['of another kind', () => '{"a":1}', /expected what the registry writes; format/],
  ])('%s is refused whole and left as it is', async (_name, change, message) => {
    await damage(change);
    const text = await readFile(path, 'utf8');
    await expect(open()).rejects.toThrow(message);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('a half-written new one beside it is of no consequence', async () => {
    await damage((text) => text);
    await writeFile(`${path}.new`, '{"format":');
    expect((await (await open()).snapshot()).resources).toHaveLength(1);
  });
});

test('a file that another process has is refused by its name; one whose process is gone is not', async () => {
  await writeFile(`${path}.lock`, String(process.ppid));
  await expect(open()).rejects.toThrow(`process ${process.ppid} uses it`);
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(`${path}.lock`, String(gone));
  const store = await open();
  await store.close();
  expect(await readdir(folder)).toEqual(['roll.json']);
});

test('a place that cannot be written is found out at the start', async () => {
  await writeFile(join(folder, 'file'), '');
  path = join(folder, 'file', 'roll.json');
  await expect(open()).rejects.toThrow(/ENOTDIR|EEXIST/);
});
