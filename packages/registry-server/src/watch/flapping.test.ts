import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

let server: RegistryServer;
const readers: StreamReader[] = [];

beforeEach(async () => {
  server = await startTestServer('--flap-hold-ms=500');
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await server.close();
});

const pathOf = (id: string, service: string) =>
  `${server.url}/v1/namespaces/default/services/${service}/instances/${id}`;

async function send(method: 'PUT' | 'PATCH', path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return Number(((await response.json()) as { revision: string }).revision);
}

async function watch(query: string): Promise<StreamReader> {
  const reader = await StreamReader.open(`${server.url}/v1/watch?${query}`);
  readers.push(reader);
  await until(() => reader.of('bookmark').length > 0);
  return reader;
}

interface Shown {
  id: string;
  state: string;
  weight: number;
}

/** How a reader sees a service: the snapshot and what came after it. */
function seenBy(reader: StreamReader, service: string): Map<string, Shown> {
  const seen = new Map<string, Shown>();
  for (const { event, data } of reader.events) {
    if (data['service'] !== service) continue;
    if (event === 'snapshot') seen.clear();
    for (const id of (data['removes'] ?? []) as string[]) seen.delete(id);
    for (const one of (data['upserts'] ?? data['endpoints'] ?? []) as Shown[])
      seen.set(one.id, one);
  }
  return seen;
}

const changesOf = (reader: StreamReader, service: string) =>
  reader.of('change').filter((change) => change['service'] === service);

/** Changes an instance's status again and again for a while; gives how often. */
async function flap(ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  let count = 0;
  while (performance.now() < endMs) {
    await send('PATCH', pathOf('flapper', 'orders'), { status: count++ % 2 === 0 ? 'down' : 'up' });
  }
  return count;
}

test('G7: a flapping instance is damped, its neighbours and other services are not', async () => {
  const body = { ports: { http: 1 } };
  await send('PUT', pathOf('flapper', 'orders'), body);
  await send('PUT', pathOf('steady', 'orders'), body);
  await send('PUT', pathOf('p', 'payments'), body);
  const reader = await watch('service=orders&service=payments');
  const flapping = flap(3_000);
  const delaysMs: number[] = [];
  for (let weight = 10; weight < 13; weight++) {
    for (const [id, service] of [
      ['p', 'payments'],
      ['steady', 'orders'],
    ] as const) {
      const startedAtMs = performance.now();
      await send('PATCH', pathOf(id, service), { weight });
      await until(() => seenBy(reader, service).get(`${id}/http`)?.weight === weight, {
        everyMs: 1,
      });
      delaysMs.push(performance.now() - startedAtMs);
    }
  }
  const count = await flapping;
  expect(count).toBeGreaterThan(100);
  await send('PATCH', pathOf('flapper', 'orders'), { status: 'up', weight: 77 });
  await until(() => seenBy(reader, 'orders').get('flapper/http')?.weight === 77);
  expect(seenBy(reader, 'orders').get('flapper/http')).toMatchObject({ state: 'up' });
  // Three seconds: a burst of ten, then one good and one bad news each half second, and the steady one's own.
  expect(changesOf(reader, 'orders').length).toBeLessThan(10 + 2 + 2 * 8 + 4);
  // Far below the time that changes are held back, though on a machine that does a lot besides.
  expect(delaysMs.toSorted((a, b) => a - b)[3]).toBeLessThan(100);
  const revisions = changesOf(reader, 'orders').map(({ revision }) => Number(revision));
  expect(revisions.every((one, i) => i === 0 || one > (revisions[i - 1] as number))).toBe(true);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const coalesced = /rollcall_changes_coalesced_total (\d+)/.exec(metrics)?.[1];
  expect(Number(coalesced)).toBeGreaterThan(count / 2);
});

test('G3: whoever comes, goes and resumes while changes are held back misses none of them', async () => {
  const body = { ports: { http: 1 } };
  await send('PUT', pathOf('flapper', 'orders'), body);
  await send('PUT', pathOf('p', 'payments'), body);
  const early = await watch('');
  const flapping = flap(2_000);
  // Breaks off and resumes all the time, from whatever it was told last.
  const pieces: StreamReader[] = [];
  let since: string | undefined;
  const over = new AbortController();
  const breaking = async () => {
    while (!over.signal.aborted) {
      const reader = await watch(since === undefined ? '' : `since=${since}`);
      pieces.push(reader);
      const { length } = reader.events;
      await until(() => over.signal.aborted || reader.events.length > length, { withinMs: 6_000 });
      since = reader.events.findLast(({ id }) => id !== undefined)?.id ?? since;
      reader.close();
    }
  };
  const breaker = breaking();
  await flapping;
  over.abort();
  await breaker;
  const last = await send('PATCH', pathOf('flapper', 'orders'), { status: 'down', weight: 55 });
  await send('PATCH', pathOf('p', 'payments'), { weight: 66 });
  const resumed = await watch(`since=${since}`);
  const fresh = await watch('');
  for (const reader of [early, fresh]) {
    await until(() => seenBy(reader, 'orders').get('flapper/http')?.weight === 55);
    await until(() => seenBy(reader, 'payments').get('p/http')?.weight === 66);
  }
  // The pieces one after the other, as a client would have put them together.
  const whole = () => {
    const joined = new StreamReader();
    joined.events.push(...[...pieces, resumed].flatMap(({ events }) => events));
    return joined;
  };
  await until(() => seenBy(whole(), 'orders').get('flapper/http')?.weight === 55);
  expect(seenBy(whole(), 'payments').get('p/http')?.weight).toBe(66);
  expect(pieces.length).toBeGreaterThan(3);
  expect(last).toBeGreaterThan(0);
  for (const reader of [early, fresh, resumed]) {
    const revisions = changesOf(reader, 'orders').map(({ revision }) => Number(revision));
    expect(revisions.every((one, i) => i === 0 || one > (revisions[i - 1] as number))).toBe(true);
  }
});

test('G3: whoever resumes from a bookmark while a change is held back gets that change', async () => {
  await send('PUT', pathOf('flapper', 'orders'), { ports: { http: 1 } });
  const first = await watch('');
  for (let weight = 1; weight <= 15; weight++) {
    await send('PATCH', pathOf('flapper', 'orders'), { weight });
  }
  await send('PATCH', pathOf('flapper', 'orders'), { weight: 42 });
  // Resumed, and told where to resume from, before the last change is out.
  const since = first.events.findLast(({ id }) => id !== undefined)?.id;
  const second = await watch(`since=${since}`);
  const bookmark = second.events.findLast(({ event }) => event === 'bookmark')?.id;
  expect(seenBy(second, 'orders').get('flapper/http')?.weight).not.toBe(42);
  const third = await watch(`since=${bookmark}`);
  for (const reader of [first, second, third]) {
    await until(() => seenBy(reader, 'orders').get('flapper/http')?.weight === 42);
  }
});

test('G3: whoever resumes while another service flaps is not shown once more what had left before', async () => {
  const body = { ports: { http: 1 } };
  await send('PUT', pathOf('flapper', 'orders'), body);
  await send('PUT', pathOf('stays', 'calm'), body);
  const flapping = flap(4_000);
  const over = new AbortController();
  const ended = flapping.finally(() => over.abort());
  const lastId = (reader: StreamReader) =>
    reader.events.findLast(({ id }) => id !== undefined)?.id ?? '';
  let reader = await watch('');
  let rounds = 0;
  for (; !over.signal.aborted; rounds++) {
    const id = `leaves${rounds}`;
    await send('PUT', pathOf(id, 'calm'), body);
    await until(() => seenBy(reader, 'calm').has(`${id}/http`));
    await fetch(pathOf(id, 'calm'), { method: 'DELETE' });
    await until(() => !seenBy(reader, 'calm').has(`${id}/http`));
    reader.close();
    const url = `${server.url}/v1/watch`;
    const next = await StreamReader.open(url, { 'last-event-id': lastId(reader) });
    readers.push(next);
    await until(() => next.of('bookmark').length > 0);
    const again = changesOf(next, 'calm').flatMap(({ upserts }) => upserts as Shown[]);
    expect(again.map((one) => one.id)).not.toContain(`${id}/http`);
    reader = next;
  }
  await ended;
  expect(rounds).toBeGreaterThan(3);
});
