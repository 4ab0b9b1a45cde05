import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench } from './testing/file-bench.ts';
import { serve } from './testing/started-group.ts';

/** A balancer with two workers before one group of these settings. */
async function start(settings: string, ...endpoints: ReturnType<typeof endpoint>[]) {
  const bench = await FileBench.start(
    {
      listeners: '[{ name: web, port: 0, default: { targetGroup: hello } }]',
      targetGroups: `{ hello: { service: hello ${settings} } }`,
      more: 'workers: 2\nzone: a',
    },
    { openSource: () => new FakeSource(endpoints) },
  );
  return bench.url();
}

/** So many requests at once, each on a connection of its own. @returns the answers. */
async function ask(url: string, count: number): Promise<string[]> {
  const headers = { connection: 'close' };
  return Promise.all(
    Array.from({ length: count }, async () => {
      const answer = await fetch(url, { headers });
      return `${answer.status} ${await answer.text()}`;
    }),
  );
}

const answer =
  (status: number, text: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(text);

test('each worker limits the requests of a target, and lets those beyond wait', async () => {
  const state = { now: 0, most: 0 };
  const port = await serve((_, response) => {
    state.most = Math.max(state.most, ++state.now);
    setTimeout(() => {
      state.now--;
      response.end('ok');
    }, 20);
  });
  const limit = ', maxRequestsPerTarget: 1, queue: { length: 100, timeoutMs: 60000 }';
  const answers = await ask(await start(limit, endpoint(port)), 30);
  expect(new Set(answers)).toEqual(new Set(['200 ok']));
  expect(state.most).toBeLessThanOrEqual(2);
});

test('workers retry by codes, and prefer the zone of the balancer', async () => {
  const ports = await Promise.all([
    serve(answer(503, 'busy')),
    serve(answer(200, 'near')),
    serve(answer(200, 'far')),
  ]);
  const [busy, near, far] = ports.map((port, at) => endpoint(port, { zone: at < 2 ? 'a' : 'b' }));
  const settings = ", preferZone: true, retry: { codes: '503' }, ejection: { serverErrors: false }";
  const url = await start(settings, busy!, near!, far!);
  expect(new Set(await ask(url, 30))).toEqual(new Set(['200 near']));
});
