import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManifestObject } from '@rollcall/client-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

/** What a registry of an earlier version had in its file, and what it showed of it. */
const EARLIER = new URL('../testing/earlier-roll.json', import.meta.url);
const SHOWN = new URL('../testing/earlier-objects.json', import.meta.url);

let folder: string;
let cli: TestCli;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-doctor-'));
  cpSync(EARLIER, join(folder, 'roll.json'));
  cli = await TestCli.start('--store', `file:${join(folder, 'roll.json')}`);
});
afterEach(async () => {
  await cli.close();
  rmSync(folder, { recursive: true });
});

const shown = () => JSON.parse(readFileSync(SHOWN, 'utf8')) as ManifestObject[];

test('what an earlier version stored is read and served as it was', async () => {
  for (const before of shown()) {
    const { kind, metadata } = before;
    const params = { ns: 'default', kind, name: metadata.name };
    expect(await cli.rollcall.call('readManifest', { params })).toEqual(before);
  }
  const { endpoints } = await cli.rollcall.call('resolve', {
    params: { ns: 'default', svc: 'made' },
  });
  expect(endpoints.map(({ address }) => address).toSorted()).toEqual(['10.1.1.1', '10.1.1.2']);
});

test('what is no longer valid is named, stays, and is refused when it is written again', async () => {
  const { code, out } = await cli.run('doctor', '-A');
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    expect.stringMatching(
      /^The Endpoints "made" in namespace default is invalid: subsets\[0\].addresses\[0\].nodeName: Invalid value: "N_1": /,
    ),
    '14 objects checked: 1 not valid by the rules of this version: served as stored, and refused when written again',
    '',
  ]);
  const text = await cli.out('get', 'ep', 'made', '-o', 'yaml');
  const refused = await cli.runWith({ stdin: text }, 'replace', '-f', '-');
  expect(refused.err).toContain('nodeName: Invalid value: "N_1"');
  expect(await cli.out('get', 'ep', 'made', '-o', 'yaml')).toBe(text);
  const mended = await cli.runWith({ stdin: text.replace('N_1', 'n-1') }, 'replace', '-f', '-');
  expect(mended).toEqual({ code: 0, out: 'endpoints/made replaced\n', err: '' });
  expect((await cli.run('doctor')).out).toBe('14 objects checked: all are valid\n');
});

test('where all is valid, it says how much it looked at', async () => {
  const other = await TestCli.start();
  await other.apply(`${NGINX}---\n${NGINX.replace('name: nginx', 'name: two')}`);
  await other.register('web/a', 8080);
  const { code, out } = await other.run('doctor', '-A');
  expect([code, out]).toEqual([0, '3 objects checked: all are valid\n']);
  await other.close();
});

test('many and large objects are checked in parts that fit into a request', async () => {
  const address = (i: number, n: number) => `10.${n}.${Math.floor(i / 250)}.${(i % 250) + 1}`;
  for (let n = 0; n < 25; n++) {
    const endpoints = Array.from({ length: 1_000 }, (_, i) => ({ addresses: [address(i, n)] }));
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `large-${n}` },
      addressType: 'IPv4',
      endpoints,
    };
    await cli.apply(JSON.stringify(slice));
  }
  const { code, out, err } = await cli.run('doctor');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(out).toContain('39 objects checked: 1 not valid');
});

test('names are refused: it checks everything', async () => {
  expect(await cli.run('doctor', 'svc', 'made')).toMatchObject({ code: 2, out: '' });
});
