import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { startGroup } from './testing/started-group.ts';

const answer =
  (status: number): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(`status ${status}`);

test.each([
  ['', [200, 200, 503, 503]],
  [", retry: { codes: '500,502-504' }", [200, 200, 200, 200]],
  [", retry: { codes: '500' }", [200, 200, 503, 503]],
])('retries by codes%s', async (settings, statuses) => {
  const { url } = await startGroup(settings, answer(503), answer(200));
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) seen.push((await fetch(url)).status);
  expect(seen.toSorted((a, b) => a - b)).toEqual(statuses);
});
