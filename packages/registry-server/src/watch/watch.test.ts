import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { until } from '@rollcall/testkit';
import type { RegistryServer } from '../compose.ts';
import { Picture } from '../picture/picture.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

let server: RegistryServer;
let readers: StreamReader[] = [];

beforeEach(async () => {
  // Many changes of the same instance are meant here.
  server = await startTestServer('--flap-hold-ms=0');
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  readers = [];
  await server.close();
});

const pathOf = (id: string, service = 'orders') =>
  `${server.url}/v1/namespaces/default/services/${service}/instances/${id}`;

async function register(id: string, over: Record<string, unknown> = {}, service = 'orders') {
  const response = await fetch(pathOf(id, service), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ports: { http: 3000 }, ...over }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { lease: { id: string }; revision: string };
}

const deregister = (id: string) => fetch(pathOf(id), { method: 'DELETE' });

async function watch(query: string, headers: Record<string, string> = {}) {
  const reader = await StreamReader.open(`${server.url}/v1/watch?${query}`, headers);
  readers.push(reader);
  return reader;
}

const synced = (reader: StreamReader) => until(() => reader.of('bookmark').length > 0);

interface Change {
  revision: string;
  upserts: { id: string; instance: string; state: string; tier: number | null; ready: boolean }[];
  removes: string[];
}
const changesOf = (reader: StreamReader) => reader.of('change') as unknown as Change[];

describe('watching', () => {
  test('a watch of a named service does not look through all others', async () => {
    await register('a');
    const looks = vi.spyOn(Picture.prototype, 'servicesOf');
    onTestFinished(() => looks.mockRestore());
    await synced(await watch('service=orders'));
    await synced(await watch('service=unknown'));
    expect(looks).not.toHaveBeenCalled();
    await synced(await watch('namespace=default'));
    expect(looks).toHaveBeenCalled();
  });

  test('begins with a snapshot and a bookmark, then sends each change', async () => {
    await register('a');
    const reader = await watch('service=orders');
    await synced(reader);
    expect(reader.events.map(({ event }) => event)).toEqual(['snapshot', 'bookmark']);
    expect(reader.of('snapshot')).toMatchObject([
      { service: 'orders', endpoints: [{ id: 'a/http' }] },
    ]);
    await register('b');
    await deregister('a');
    await until(() => changesOf(reader).length === 2);
    expect(changesOf(reader)).toMatchObject([
      { upserts: [{ id: 'b/http' }], removes: [] },
      { upserts: [], removes: ['a/http'] },
    ]);
  });

  test('an idle watch and an idle hold are heard of every few seconds', async () => {
    const { lease } = await register('a');
    const reader = await watch('service=orders');
    await synced(reader);
    const held = await StreamReader.open(`${server.url}/v1/leases/hold?lease=${lease.id}`);
    readers.push(held);
    const bookmarks = reader.of('bookmark').length;
    // The client leaves a stream that is silent for 15 s: two of three may be lost.
    const startedAtMs = performance.now();
    await until(() => reader.of('bookmark').length > bookmarks && held.of('ping').length > 0);
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
    expect(changesOf(reader)).toEqual([]);
  });

  test('a heartbeat wakes nobody', async () => {
    const { lease } = await register('a');
    const reader = await watch('service=orders');
    await synced(reader);
    for (let i = 0; i < 20; i++)
      await fetch(`${server.url}/v1/leases/${lease.id}`, { method: 'PUT' });
    await register('b');
    await until(() => changesOf(reader).length > 0);
    expect(changesOf(reader)).toHaveLength(1);
  });

  test('a service without instances is watched from an empty snapshot', async () => {
    const reader = await watch('service=later');
    await synced(reader);
    expect(reader.of('snapshot')).toMatchObject([{ service: 'later', endpoints: [] }]);
    await register('a', {}, 'later');
    await until(() => changesOf(reader).length === 1);
  });

  test('several services, and a whole namespace', async () => {
    await register('a', {}, 'one');
    await register('b', {}, 'two');
    const two = await watch('service=one&service=two');
    const all = await watch('namespace=default');
    await synced(two);
    await synced(all);
    const servicesOf = (reader: StreamReader) =>
      reader.of('snapshot').map(({ service }) => service);
    expect(servicesOf(two)).toEqual(['one', 'two']);
    expect(servicesOf(all)).toEqual(expect.arrayContaining(['one', 'rollcall', 'two']));
    await register('c', {}, 'three');
    await until(() => changesOf(all).length === 1);
    expect(changesOf(two)).toHaveLength(0);
  });

  test.each(['since', 'Last-Event-ID'])(
    'resumes by %s: what was missed, no snapshot',
    async (by) => {
      await register('a');
      const first = await watch('service=orders');
      await synced(first);
      const since = first.events.at(-1)?.id ?? '';
      first.close();
      await register('b');
      await register('c');
      const again =
        by === 'since'
          ? await watch(`service=orders&since=${since}`)
          : await watch('service=orders', { 'last-event-id': since });
      await synced(again);
      expect(again.events.map(({ event }) => event)).toEqual(['change', 'bookmark']);
      expect(changesOf(again).flatMap(({ upserts }) => upserts.map(({ id }) => id))).toEqual([
        'b/http',
        'c/http',
      ]);
    },
  );

  test('from a revision that is too old: compacted, then snapshots', async () => {
    await register('a');
    const reader = await watch('service=orders&since=5');
    await synced(reader);
    expect(reader.events.map(({ event }) => event)).toEqual(['compacted', 'snapshot', 'bookmark']);
  });

  test('G3: revisions strictly increase while many change at once', async () => {
    const reader = await watch('service=orders');
    await synced(reader);
    await Promise.all(Array.from({ length: 60 }, (_, i) => register(`i${i}`)));
    await until(
      () =>
        new Set(changesOf(reader).flatMap(({ upserts }) => upserts.map((e) => e.id))).size === 60,
    );
    const revisions = changesOf(reader).map(({ revision }) => BigInt(revision));
    expect(
      revisions.every((revision, i) => i === 0 || revision > (revisions[i - 1] as bigint)),
    ).toBe(true);
  });

  test('a slow reader is parked and resynced, and delays nobody', async () => {
    const { port } = new URL(server.url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.write('GET /v1/watch?service=orders HTTP/1.1\r\nhost: localhost\r\n\r\n');
    slow.pause();
    const quick = await watch('service=orders');
    await synced(quick);
    const labels = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`l${i}`, 'x'.repeat(60)]),
    );
    const parked = async () => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^rollcall_watch_parked_total (\d+)/m.exec(text)?.[1]) > 0;
    };
    let sent = 0;
    // As much as the sockets' buffers take, and a megabyte.
    while (!(await parked()) && sent < 6_000) {
      for (let i = 0; i < 20; i++) await register('big', { labels, weight: sent++ % 60_000 });
    }
    expect(await parked()).toBe(true);
    await until(() => changesOf(quick).length >= sent - 1);
    let text = '';
    slow.on('data', (chunk) => (text += chunk.toString('latin1')));
    slow.resume();
    // It ends with what everybody has, having been sent only what it missed.
    const last = changesOf(quick).at(-1)?.revision ?? '';
    await until(() => new RegExp(`^id: ${last}-\\w+\nevent: change`, 'm').test(text));
    expect(text).not.toContain('event: compacted');
    const revisions = [...text.matchAll(/^id: (\d+)-\w+\nevent: change/gm)].map(([, id]) =>
      Number(id),
    );
    expect(revisions).toEqual([...new Set(revisions)].toSorted((x, y) => x - y));
    expect(revisions).toHaveLength(changesOf(quick).length);
    slow.destroy();
  }, 60_000);

  test('a stream that breaks between two snapshots does not resume as if it had both', async () => {
    await register('a', {}, 'one');
    await register('b', {}, 'two');
    const reader = await watch('service=one&service=two');
    await synced(reader);
    expect(reader.events.map(({ event, id }) => [event, id === undefined])).toEqual([
      ['snapshot', true],
      ['snapshot', true],
      ['bookmark', false],
    ]);
  });

  test('a stream behind another request on the same connection is refused, and what comes behind a stream changes nothing', async () => {
    const { port } = new URL(server.url);
    const open = (requests: string) => {
      const socket = connect(Number(port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.write(requests);
      return { socket, text: () => text };
    };
    const wait =
      'GET /v1/namespaces/default/services/a/endpoints?since=9000000000000000 HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const stream = 'GET /v1/watch?service=orders HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const behind = open(wait + stream);
    await until(() => behind.text().split('HTTP/1.1 ').length === 3);
    expect(behind.text()).toMatch(/^HTTP\/1\.1 503 [^]*HTTP\/1\.1 400 [^]*without other requests/);
    behind.socket.destroy();
    const body = '{"ports":{"http":1}}';
    const put = `PUT /v1/namespaces/default/services/orders/instances/late HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const before = open(stream + put);
    await until(() => before.socket.destroyed);
    expect((await fetch(pathOf('late'))).status).toBe(404);
  });

  test('an HTTP/1.0 reader gets the events unchunked', async () => {
    await register('a');
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write('GET /v1/watch?service=orders HTTP/1.0\r\n\r\n');
    await until(() => text.includes('event: bookmark'));
    expect(text).toMatch(/\r\n\r\nevent: snapshot\ndata: /);
    socket.destroy();
  });
});

describe('taking up further services', () => {
  const extend = async (stream: unknown, body: object, query = '') => {
    const response = await fetch(`${server.url}/v1/watch/${String(stream)}${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      problem: response.status === 204 ? {} : await response.json(),
    };
  };
  const streamOf = (reader: StreamReader) => reader.of('bookmark')[0]?.['stream'];
  const kinds = (reader: StreamReader) =>
    reader.events.map(({ event, data }) => [event, data['service']].join(' ').trim());

  test('shows them, says so, and sends their changes from then on', async () => {
    await register('a');
    await register('b', {}, 'stock');
    const reader = await watch('service=orders');
    await synced(reader);
    await register('c', {}, 'stock');
    expect(await extend(streamOf(reader), { services: ['stock', 'later'] })).toMatchObject({
      status: 204,
    });
    await until(() => reader.of('bookmark').length === 2);
    expect(kinds(reader).slice(2)).toEqual([
      'extended',
      'snapshot stock',
      'snapshot later',
      'bookmark',
    ]);
    expect(reader.of('extended')).toEqual([{ namespace: 'default', services: ['stock', 'later'] }]);
    expect(reader.of('snapshot')[1]).toMatchObject({
      endpoints: [{ id: 'b/http' }, { id: 'c/http' }],
    });
    await register('d', {}, 'later');
    await register('e');
    await register('f', {}, 'other');
    await register('g', {}, 'stock');
    await until(() => changesOf(reader).length === 3);
    expect(kinds(reader).slice(6)).toEqual(['change later', 'change orders', 'change stock']);
  });

  test('all of the namespace: once only of each change, those known before too', async () => {
    await register('a');
    const reader = await watch('service=orders');
    await synced(reader);
    await extend(streamOf(reader), {});
    await until(() => reader.of('bookmark').length === 2);
    expect(reader.of('extended')).toEqual([{ namespace: 'default' }]);
    await register('b');
    await register('c', {}, 'new');
    await until(() => changesOf(reader).length === 2);
    expect(kinds(reader).slice(-2)).toEqual(['change orders', 'change new']);
  });

  test('G3: revisions increase for whoever takes up a service that changes all the while', async () => {
    const reader = await watch('service=orders');
    await synced(reader);
    const writes = Array.from({ length: 100 }, (_, i) => register(`i${i}`, {}, 'stock'));
    for (let i = 0; i < 5; i++) await extend(streamOf(reader), { services: ['stock'] });
    await Promise.all(writes);
    const last = await register('last', {}, 'stock');
    const shown = () =>
      reader.events
        .filter(({ data }) => data['service'] === 'stock')
        .map(({ event, data }) => ({ event, revision: Number(data['revision']) }));
    await until(() => shown().at(-1)?.revision === Number(last.revision));
    for (const [i, { event, revision }] of shown().entries()) {
      const before = shown()[i - 1]?.revision ?? 0;
      if (event === 'change') expect(revision).toBeGreaterThan(before);
      else expect(revision).toBeGreaterThanOrEqual(before);
    }
  });

  test('a reader that is behind is shown everything once it has caught up', async () => {
    const { port } = new URL(server.url);
    const slow = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void slow.destroy());
    slow.write('GET /v1/watch?service=orders HTTP/1.1\r\nhost: localhost\r\n\r\n');
    let text = '';
    slow.on('data', (chunk) => (text += chunk.toString('latin1')));
    await until(() => /"stream":"(\w+)"/.test(text));
    const stream = /"stream":"(\w+)"/.exec(text)?.[1];
    slow.pause();
    const big = {
      labels: Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`l${i}`, 'x'.repeat(60)])),
    };
    for (let i = 0; i < 400; i++) await register(`i${i}`, big, 'stock');
    // More than its socket, the system and the server's patience hold.
    for (let i = 0; i < 20; i++) await extend(stream, { services: ['stock'] });
    text = '';
    slow.resume();
    await until(() =>
      /event: extended\ndata: {"namespace":"default","services":\["orders","stock"\]}/.test(text),
    );
    // Not twenty times 2 MB: all that it asked for while it was slow is shown once.
    await until(() => text.split('event: bookmark').length > 1);
    expect(text.split('event: snapshot\n').length).toBeLessThan(12);
    await register('last', {}, 'stock');
    await until(() => text.includes('"last/http"'));
  });

  test('of a stream that is not there, or of another namespace, or over: watch_unknown', async () => {
    const reader = await watch('service=orders');
    await synced(reader);
    const stream = streamOf(reader);
    const unknown = { status: 404, problem: { code: 'watch_unknown', field: 'stream' } };
    expect(await extend('0'.repeat(32), { services: ['a'] })).toMatchObject(unknown);
    expect(await extend(stream, { services: ['a'] }, '?namespace=other')).toMatchObject(unknown);
    for (const [body, field] of [
      [{ services: [] }, 'services'],
      [{ services: ['Not A Name'] }, 'services.0'],
      [{ service: ['a'] }, 'service'],
    ] as const)
      expect(await extend(stream, body)).toMatchObject({ status: 400, problem: { field } });
    expect(await extend('nonsense', {})).toMatchObject({
      status: 400,
      problem: { field: 'stream' },
    });
    reader.close();
    await until(async () => (await extend(stream, { services: ['a'] })).status === 404);
  });
});

describe('holds', () => {
  const hold = async (...leases: string[]) => {
    const query = leases.map((lease) => `lease=${lease}`).join('&');
    const reader = await StreamReader.open(`${server.url}/v1/leases/hold?${query}`);
    readers.push(reader);
    await until(() => reader.of('held').length === 1);
    return reader;
  };
  const stateOf = async (id: string) => {
    const response = await fetch(pathOf(id));
    return response.status === 404 ? 'gone' : ((await response.json()) as { state: string }).state;
  };

  test('G2: closing a hold makes the instance tier 1 at once, and gone 2 s later', async () => {
    const { lease } = await register('a');
    await register('b');
    const reader = await watch('service=orders');
    await synced(reader);
    const held = await hold(lease.id);
    const closedAt = performance.now();
    held.close();
    const change = await until(() =>
      changesOf(reader).find(({ upserts }) => upserts[0]?.state === 'suspect'),
    );
    expect(performance.now() - closedAt).toBeLessThan(250);
    expect(change.upserts).toMatchObject([{ id: 'a/http', tier: 1, ready: true }]);
    await until(async () => (await stateOf('a')) === 'gone', { withinMs: 4_000 });
    expect(performance.now() - closedAt).toBeGreaterThan(1_500);
  });

  test('a heartbeat, or a new hold, makes it up again', async () => {
    const { lease } = await register('a');
    (await hold(lease.id)).close();
    await until(async () => (await stateOf('a')) === 'suspect');
    await fetch(`${server.url}/v1/leases/${lease.id}`, { method: 'PUT' });
    expect(await until(async () => (await stateOf('a')) === 'up')).toBe(true);
    (await hold(lease.id)).close();
    await until(async () => (await stateOf('a')) === 'suspect');
    await hold(lease.id);
    await until(async () => (await stateOf('a')) === 'up');
  });

  test('the late close of an older hold does nothing', async () => {
    const { lease } = await register('a');
    const first = await hold(lease.id);
    const second = await hold(lease.id);
    first.close();
    const other = await register('b');
    (await hold(other.lease.id)).close();
    await until(async () => (await stateOf('b')) === 'suspect');
    expect(await stateOf('a')).toBe('up');
    expect(second.isOver).toBe(false);
  });

  test('tells which leases it has, which are unknown, which superseded', async () => {
    const { lease } = await register('a');
    const next = await register('a');
    const strange = `0.10000.${'e'.repeat(32)}`;
    const held = await hold(next.lease.id, lease.id, strange);
    expect(held.of('held')).toEqual([
      { held: [next.lease.id], superseded: [lease.id], unknown: [strange] },
    ]);
  });

  test('a server going away tells holds and watches to move, and suspects nobody', async () => {
    const { lease } = await register('a');
    const held = await hold(lease.id);
    const reader = await watch('service=orders');
    await synced(reader);
    await server.close();
    await until(() => held.isOver && reader.isOver);
    expect(held.of('move')).toHaveLength(1);
    expect(reader.of('bookmark').at(-1)).toMatchObject({ moving: true });
    expect(changesOf(reader).flatMap(({ upserts }) => upserts)).toEqual([]);
  });
});
