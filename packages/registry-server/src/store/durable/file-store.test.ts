import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestProcess } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { bodyOf } from '../../testing/conformance/cases.ts';
import { storeConformance } from '../../testing/store-conformance.ts';
import { MemoryStore } from '../memory/memory-store.ts';
import type { ResourceRecord } from '../record.ts';
import { StoreUnavailableError } from '../store.ts';
import { DurableFile } from './durable-file.ts';
import { FileLock } from './file-lock.ts';
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
    await before.grant({ ...grant, instanceKey: 'default/a/persistent', lease: '' });
    await before.grant({
      ...grant,
      instanceKey: 'default/a/leased',
      lease: `0.10000.${'0'.repeat(32)}`,
    });
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
    const [file, lock, ...others] = (await readdir(folder)).toSorted();
    expect(file).toBe('roll.json');
    expect(lock).toMatch(/^roll\.json\.lock\./);
    expect(others).toEqual([]);
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

describe('the lock', () => {
  const LOCK = new URL('file-lock.ts', import.meta.url).href;
  const other = (held: string) => {
    const lines = [
      `import { FileLock } from '${LOCK}';`,
      `await FileLock.acquire('${held}');`,
      "console.log('held');",
      'setInterval(() => {}, 1e6);',
    ];
    const args = ['--conditions=@rollcall/source', '--input-type=module', '-e', lines.join(' ')];
    return new TestProcess(process.execPath, args);
  };

  test('a file that another process has is refused by its name, and free once that is killed', async () => {
    const holder = other(path);
    await holder.printed(/held/);
    await expect(open()).rejects.toThrow(`process ${holder.pid} on ${hostname()} uses it`);
    holder.child.kill('SIGKILL');
    await once(holder.child, 'exit');
    const store = await open();
    await expect(open()).rejects.toThrow(`process ${process.pid}`);
    await store.close();
    expect(await readdir(folder)).toEqual(['roll.json']);
  });

  test('a number that another program has by now, as after a power cut, holds nobody up', async () => {
    await writeFile(`${path}.lock`, String(process.ppid));
    const store = await open();
    await store.close();
    expect(await readdir(folder)).toEqual(['roll.json']);
  });

  test('of many who find a dead one at once, one has it', async () => {
    const holder = other(path);
    await holder.printed(/held/);
    holder.child.kill('SIGKILL');
    await once(holder.child, 'exit');
    for (let round = 0; round < 30; round++) {
      const tries = await Promise.allSettled(
        Array.from({ length: 12 }, async (_, place) => {
          await sleep(place % 3 === 0 ? 0 : Math.random() * 10);
          return FileLock.acquire(path);
        }),
      );
      const locks = tries.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.release();
      expect((await readdir(folder)).filter((name) => name.includes('lock'))).toEqual([]);
    }
  });

  test('of processes that start at once on what a dead one left, one has it', async () => {
    const dead = other(path);
    await dead.printed(/held/);
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    const all = Array.from({ length: 4 }, () => other(path));
    const ends = await Promise.all(
      all.map((one) => one.printed(/^held|uses it|takes it at the same time/m)),
    );
    expect(ends.filter(([said]) => said === 'held')).toHaveLength(1);
    await Promise.all(all.map((one) => one.stop('SIGKILL')));
  });

  test('one that is stopped and answers nobody has it still', async () => {
    const holder = other(path);
    await holder.printed(/held/);
    holder.child.kill('SIGSTOP');
    await expect(open()).rejects.toThrow('another process uses it');
    await holder.stop('SIGKILL');
  });

  test('a long path has one too', async () => {
    path = join(folder, 'a'.repeat(100), 'b'.repeat(100), 'roll.json');
    const store = await open();
    await expect(open()).rejects.toThrow('uses it');
    await store.close();
    await (await open()).close();
  });
});

describe('a file that cannot be written', () => {
  test('what was refused is not served, before or after a restart, and writes go on once it can be', async () => {
    const store = await open();
    await declare(store, 'kept');
    const { resources: before } = await store.snapshot();
    const grant = { nonce: '', takeover: false, body: bodyOf(), maxInstances: 10, floor: 0 };
    await store.grant({ ...grant, instanceKey: 'default/a/kept', lease: '' });
    // No folder, no new file in it: what a full disk comes to.
    await rename(folder, `${folder}-away`);
    await writeFile(folder, '');
    try {
      await expect(declare(store, 'lost')).rejects.toBeInstanceOf(StoreUnavailableError);
      const change = store.remove({ key: 'service/default/kept', floor: 0 });
      await expect(change).rejects.toBeInstanceOf(StoreUnavailableError);
      const gone = store.revoke({ instanceKey: 'default/a/kept', lease: undefined, floor: 0 });
      await expect(gone).rejects.toBeInstanceOf(StoreUnavailableError);
      const came = store.grant({ ...grant, instanceKey: 'default/a/lost', lease: '' });
      await expect(came).rejects.toBeInstanceOf(StoreUnavailableError);
      const { resources, instances } = await store.snapshot();
      const shown = ({ key, value, claims }: ResourceRecord) => ({ key, value, claims });
      expect(resources.map(shown)).toEqual(before.map(shown));
      expect(instances.map(({ id }) => id)).toEqual(['kept']);
      await expect(store.expire({ floor: 0 })).rejects.toBeInstanceOf(StoreUnavailableError);
      const lease = `0.10000.${'1'.repeat(32)}`;
      const leased = await store.grant({ ...grant, instanceKey: 'default/a/leased', lease });
      expect(leased).toMatchObject({ kind: 'granted' });
    } finally {
      await rm(folder);
      await rename(`${folder}-away`, folder);
    }
    await store.expire({ floor: 0 });
    expect(await declare(store, 'lost')).toMatchObject({ kind: 'put' });
    await store.close();
  });

  test('a link beside it leads nowhere', async () => {
    const store = await open();
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'not yours');
    await symlink(elsewhere, `${path}.new`);
    await declare(store, 'web');
    expect(await readFile(elsewhere, 'utf8')).toBe('not yours');
    await store.close();
  });
});

test('a place that cannot be written is found out at the start', async () => {
  await writeFile(join(folder, 'file'), '');
  path = join(folder, 'file', 'roll.json');
  await expect(open()).rejects.toThrow(/ENOTDIR|EEXIST/);
});
