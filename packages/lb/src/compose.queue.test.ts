import type { ServerResponse } from 'node:http';
import { RawClient } from '@rollcall/dataplane/testing';
import { expect, test } from 'vitest';
import { endpoint } from './testing/fake-source.ts';
import { startGroup } from './testing/started-group.ts';

const LIMIT = ', maxRequestsPerTarget: 1, queue: { length: 3, timeoutMs: 60000 }';

/** A target that answers when the test says so; the oldest request first. */
function holding() {
  const held: { url: string; body: string; response: ServerResponse }[] = [];
  const state = { most: 0, seen: [] as string[] };
  return {
    held,
    state,
    listener: (
      incoming: NodeJS.ReadableStream & { url?: string | undefined },
      response: ServerResponse,
    ) => {
      const one = { url: incoming.url ?? '', body: '', response };
      held.push(one);
      state.seen.push(one.url);
      state.most = Math.max(state.most, held.length);
      incoming.on('data', (bytes: Buffer) => (one.body += bytes.toString()));
      response.on('close', () => {
        const at = held.indexOf(one);
        if (at !== -1) held.splice(at, 1);
      });
    },
    next(): void {
      const { url, body, response } = held.shift()!;
      response.end(`${url} ${body}`);
    },
  };
}

async function start(settings = LIMIT) {
  const target = holding();
  const started = await startGroup(settings, target.listener);
  const port = Number(new URL(started.url).port);
  const clients: RawClient[] = [];
  /** Sends a request on a new connection, and waits until it is in the queue or at a target. */
  const send = async (path: string, body?: string, length = body?.length) => {
    const client = await RawClient.connect(port);
    clients.push(client);
    const lines = [`PUT ${path} HTTP/1.1`, 'Host: a', `Content-Length: ${length ?? 0}`];
    client.send(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
    return client;
  };
  const group = started.balancer.groups[0]!;
  const waiting = async (count: number) => {
    await expect.poll(() => group.queue?.waiting).toBe(count);
  };
  return { ...started, target, send, group, waiting };
}

test('requests beyond the limit wait, and are sent in the order in which they came', async () => {
  const { target, send, waiting, balancer } = await start();
  const clients = [await send('/0')];
  await expect.poll(() => target.held.length).toBe(1);
  for (let i = 1; i <= 3; i++) {
    clients.push(await send(`/${i}`, 'body'));
    await waiting(i);
  }
  const metrics = await (await fetch(`${balancer.addresses.admin}/metrics`)).text();
  expect(metrics).toContain('rollcall_lb_queue_length{group="hello"} 3\n');
  for (let i = 0; i <= 3; i++) {
    await expect.poll(() => target.held.length).toBe(1);
    target.next();
    await clients[i]!.untilText(`/${i} `);
    expect(clients[i]!.text).toMatch(/^HTTP\/1\.1 200 /);
  }
  expect(target.state).toEqual({ most: 1, seen: ['/0', '/1', '/2', '/3'] });
  for (const client of clients) client.close();
});

test('the next request of a connection does not pass those that wait', async () => {
  const { target, send, waiting } = await start();
  const first = await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  await send('/1');
  await waiting(1);
  first.send('GET /later HTTP/1.1\r\nHost: a\r\n\r\n');
  // Both arrive before the answer: a request of another connection shows that they have.
  await send('/2');
  await waiting(2);
  for (let i = 1; i <= 3; i++) {
    target.next();
    await expect.poll(() => target.state.seen.length).toBe(i + 1);
  }
  expect(target.state.seen).toEqual(['/0', '/1', '/2', '/later']);
});

test('a full queue refuses at once, and says when to come again', async () => {
  const { url, target, send, waiting } = await start();
  await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  for (let i = 1; i <= 3; i++) await send(`/${i}`);
  await waiting(3);
  const answer = await fetch(url);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await answer.json()).toMatchObject({ code: 'queue_full' });
});

test('without a queue a full group refuses; with several targets all are used before', async () => {
  const target = holding();
  const { url } = await startGroup(', maxRequestsPerTarget: 2', target.listener, target.listener);
  const answers = Array.from({ length: 4 }, () => fetch(url));
  await expect.poll(() => target.held.length).toBe(4);
  expect(await (await fetch(url)).json()).toMatchObject({ code: 'queue_full' });
  while (target.held.length > 0) target.next();
  for (const answer of answers) expect((await answer).status).toBe(200);
  const last = fetch(url);
  await expect.poll(() => target.held.length).toBe(1);
  target.next();
  expect((await last).status).toBe(200);
});

test('one whose time is over gets 503, and those behind it go on waiting', async () => {
  const { target, send, waiting, group } = await start(
    ', maxRequestsPerTarget: 1, queue: { length: 3, timeoutMs: 300 }',
  );
  await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  const late = await send('/1');
  await waiting(1);
  group.configure(
    { ...group.config, queue: { ...group.config.queue, timeoutMs: 60_000 } },
    undefined,
  );
  const patient = await send('/2');
  await late.untilText('"code":"queue_timeout"');
  expect(late.text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nRetry-After: 1\r\n/);
  target.next();
  await expect.poll(() => target.held.length).toBe(1);
  target.next();
  await patient.untilText('/2 ');
});

test('a client that goes away leaves the queue, or makes room in it', async () => {
  const { target, send, waiting } = await start();
  const first = await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  const gone = await send('/1');
  await waiting(1);
  await send('/2');
  await waiting(2);
  gone.close();
  await waiting(1);
  first.close();
  await expect.poll(() => target.state.seen).toEqual(['/0', '/2']);
});

test('a body that is still coming while its request waits arrives whole', async () => {
  const { target, send, waiting } = await start();
  await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  const slow = await send('/1', 'one,', 200_000);
  await waiting(1);
  slow.send('x'.repeat(199_996));
  target.next();
  await expect.poll(() => target.held[0]?.body.length).toBe(200_000);
  target.next();
  await slow.untilText('/1 one,xxx');
});

test('a new target, and a higher limit, take those that wait', async () => {
  const { target, source, send, waiting, group } = await start();
  const other = holding();
  const { balancer } = await startGroup('', other.listener);
  await send('/0');
  await expect.poll(() => target.held.length).toBe(1);
  for (let i = 1; i <= 3; i++) {
    await send(`/${i}`);
    await waiting(i);
  }
  const [more] = balancer.groups[0]!.targets();
  source.show(endpoint(group.targets()[0]!.port), endpoint(more!.port));
  await expect.poll(() => other.state.seen).toEqual(['/1']);
  group.configure({ ...group.config, maxRequestsPerTarget: 2 }, undefined);
  await expect.poll(() => [...target.state.seen, ...other.state.seen].length).toBe(4);
  await waiting(0);
});

test('a group without targets is no full one', async () => {
  const { url } = await startGroup(LIMIT);
  expect(await (await fetch(url)).json()).toMatchObject({ code: 'no_targets' });
});
