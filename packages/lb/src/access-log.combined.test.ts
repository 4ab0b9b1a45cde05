import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawClient } from '@rollcall/dataplane/testing';
import { expect, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';

const listeners = '[{ name: web, port: 0, default: { targetGroup: hello } }]';
const targetGroups = '{ hello: { service: hello } }';

test.each(['', 'workers: 2'])('combined lines, changed by a reload: %s', async (workers) => {
  const port = await startTarget((request, response) => {
    request.resume();
    if (request.url === '/chunks') response.write('ab');
    response.end(request.url === '/none' ? '' : 'hello');
  });
  const source = new FakeSource([endpoint(port)]);
  const log = join(new FileBench().folder, 'access.log');
  const parts = (settings: string) => ({
    listeners,
    targetGroups,
    more: `${workers}\naccessLog: { file: ${log}, ${settings} }`,
  });
  const bench = await FileBench.start(parts('format: combined'), { openSource: () => source });
  const lines = () => readFileSync(log, 'utf8').trimEnd().split('\n');
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const before = readFileSync(log, 'utf8').split('\n').length;
    await (await fetch(bench.url() + path, { headers })).text();
    await expect.poll(() => readFileSync(log, 'utf8').split('\n').length).toBe(before + 1);
    return lines().at(-1)!;
  };
  const agent = { 'user-agent': 'a" 200 "b\\', referer: 'https://x.test/?q=1' };
  expect(await ask('/a?token=b', agent)).toMatch(
    /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?token=b HTTP\/1\.1" 200 5 "https:\/\/x\.test\/\?q=1" "a\\x22 200 \\x22b\\x5C"$/,
  );
  expect(await ask('/none', { 'user-agent': 'x' })).toMatch(/ 200 0 "-" "x"$/);
  // The framing of the chunks is part of what is sent.
  expect(await ask('/chunks', { 'user-agent': 'x' })).toMatch(/ 200 22 "-" "x"$/);
  const raw = await RawClient.connect(bench.port());
  raw.send('NOT HTTP\r\n\r\n');
  await expect.poll(() => lines().at(-1)).toMatch(/"-" 400 \d+ "-" "-"$/);
  expect(await bench.apply(parts('sample: 1'))).toMatchObject({ result: 'applied' });
  expect(JSON.parse(await ask('/b', agent))).toMatchObject({ path: '/b', status: 200 });
  expect(await bench.apply(parts('format: combined, sample: 0'))).toMatchObject({
    result: 'applied',
  });
  const before = lines().length;
  for (let i = 0; i < 10; i++) await (await fetch(bench.url())).text();
  source.show();
  const unavailable = async () => (await fetch(bench.url())).status;
  await expect.poll(unavailable).toBe(503);
  await expect.poll(() => lines().at(-1)).toMatch(/ 503 \d+ /);
  expect(
    lines()
      .slice(before)
      .every((line) => line.includes(' 503 ')),
  ).toBe(true);
});

test('a mapping with a wrong value is refused', async () => {
  const bench = await FileBench.start({ listeners, targetGroups });
  expect(
    await bench.apply({ listeners, targetGroups, more: 'accessLog: { format: common }' }),
  ).toMatchObject({
    result: 'refused',
    errors: [
      expect.stringContaining(
        'accessLog.format: bad value, got "common", expected json or combined',
      ),
    ],
  });
});
