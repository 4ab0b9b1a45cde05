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
  return { url: bench.url(), admin: bench.admin };
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
  const answers = await ask((await start(limit, endpoint(port))).url, 30);
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
  const { url } = await start(settings, busy!, near!, far!);
  expect(new Set(await ask(url, 30))).toEqual(new Set(['200 near']));
});

test('the length of the queue is that of all workers together', async () => {
  const held: (() => void)[] = [];
  const port = await serve((_, response) => void held.push(() => response.end('ok')));
  const limit = ', maxRequestsPerTarget: 1, queue: { length: 100, timeoutMs: 60000 }';
  const { url, admin } = await start(limit, endpoint(port));
  const asked = ask(url, 12);
  const waiting = async () => {
    const text = await (await fetch(`${admin}/metrics`)).text();
    return Number(/^rollcall_lb_queue_length\{group="hello"\} (\d+)$/m.exec(text)?.[1]);
  };
  // Each worker that has got one lets its target work on it.
  const rest = async () => (await waiting()) + held.length;
  await expect.poll(rest, { timeout: 30_000 }).toBe(12);
  expect(await waiting()).toBeGreaterThanOrEqual(10);
  const work = setInterval(() => held.shift()?.(), 5);
  expect(new Set(await asked)).toEqual(new Set(['200 ok']));
  clearInterval(work);
  await expect.poll(waiting).toBe(0);
});
