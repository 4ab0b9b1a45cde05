import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RollcallOptions } from '../api/options.ts';
import { Rollcall } from '../rollcall.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt, type FakeRegistry } from '../testing/fake-registry.ts';
import { ids, until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A registry server that answers everything the same bad way. */
async function badServer(answer: Answer) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => answer(response, request));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.onEnd(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Says the same again and again until the other side has had enough. */
function repeat(response: ServerResponse, text: string | Buffer, everyMs = 20): void {
  response.write(text);
  const timer = setInterval(() => response.write(text), everyMs);
  response.on('close', () => clearInterval(timer));
}

/** The beginning of an answer, and then a blank now and then. */
const dripping =
  (status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    repeat(response, ' ');
  };

/** An answer without an end, as fast as it is taken. */
const endless =
  (head: string): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(head);
    const block = Buffer.alloc(2 ** 20, 'x');
    const fill = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', fill);
    fill();
  };

function clientOf(urls: readonly string[], given: Partial<RollcallOptions> = {}): Rollcall {
  // Random 0: the first url is the first that is asked.
  const client = new Rollcall({
    url: [...urls],
    reconnectMaxMs: 100,
    runtime: { random: () => 0 },
    ...given,
  });
  context.onEnd(() => client.close());
  return client;
}

describe('G1: a server that answers slowly but steadily is one that does not answer', () => {
  const registering = async (bad: Answer, given: Partial<RollcallOptions> = {}) => {
    const good = await context.registry();
    const server = await badServer(bad);
    const client = clientOf([server.url, good.url], given);
    return { good, server, client };
  };

  test.each([200, 503])('register and renew go on at the other one (status %i)', async (status) => {
    const { good, server, client } = await registering(dripping(status));
    const registration = await client.register({ service: 'orders', port: 1, ttlMs: 1_000 });
    expect(server.seen).toHaveLength(1);
    const events: string[] = [];
    registration.on('lost', () => events.push('lost'));
    let renewed = 0;
    registration.on('renewed', () => renewed++);
    await until(() => renewed >= 4, 10_000);
    expect(events).toEqual([]);
    expect(good.leases.size).toBe(1);
  });

  test('a lease lives on when the server that renewed it begins to drip', async () => {
    const good = await context.registry();
    const turning = await context.registry();
    turning.leases = good.leases;
    const client = clientOf([turning.url, good.url]);
    const registration = await client.register({ service: 'orders', port: 1, ttlMs: 1_000 });
    turning.drips = true;
    const events: string[] = [];
    registration.on('lost', () => events.push('lost'));
    const before = good.count('POST', /renew/);
    await until(() => good.count('POST', /renew/) >= before + 3, 10_000);
    expect(events).toEqual([]);
    expect(registration.state).toBe('held');
  });

  test('an instance leaves the roll by the other one', async () => {
    const good = await context.registry();
    const turning = await context.registry();
    turning.leases = good.leases;
    // A server may take all of 20 s, and there are 2 s to close.
    const client = clientOf([turning.url, good.url], { requestTimeoutMs: 20_000 });
    await client.register({ service: 'orders', port: 1 });
    turning.drips = true;
    await client.close();
    expect(good.count('DELETE', /instances/)).toBe(1);
    expect(good.leases.size).toBe(0);
  });

  test('every other call ends in time too', async () => {
    const { url } = await badServer(dripping());
    const client = clientOf([url], { requestTimeoutMs: 100 });
    const service = { ns: 'default', svc: 'orders' };
    const params = { ...service, id: 'a' };
    const calls = [
      () => client.call('deregister', { params }),
      () => client.call('patchInstance', { params, body: { weight: 1 } }),
      () => client.call('resolve', { params: service }),
      () => client.withdrawReport('orders', 'r'),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({
        code: 'registry_unreachable',
        message: expect.stringMatching(/did not finish its answer within \d+ ms/),
      });
  });

  test('an answer without an end is bounded in size', { timeout: 30_000 }, async () => {
    const { url } = await badServer(endless('{"a":"'));
    const client = clientOf([url], { requestTimeoutMs: 20_000 });
    const call = client.call('resolve', { params: { ns: 'default', svc: 'orders' } });
    await expect(call).rejects.toThrow(/answered with more than 64 MiB/);
  });
});

describe('a watch that proves nothing is left for another server', () => {
  const snapshot = `event: snapshot\ndata: {"namespace":"default","service":"orders","revision":"1",`;
  const stream =
    (text: string): Answer =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      repeat(response, text);
    };
  const whole = `event: change\ndata: ${JSON.stringify({
    namespace: 'default',
    service: 'others',
    revision: '1',
    upserts: [],
    removes: [],
  })}\n\n`;
  const bad: [string, Answer][] = [
    ['comments only', stream(': ping\n\n')],
    ['comments only, and many', stream(`: ${'x'.repeat(500)}\n\n`.repeat(10))],
    [
      'half a snapshot',
      (response) => (stream('')(response, undefined as never), response.write(snapshot)),
    ],
    [
      'a snapshot that drips',
      (response) => (stream(' ')(response, undefined as never), response.write(snapshot)),
    ],
    ['whole events without an end of the beginning', stream(whole)],
    ['a refusal that drips', dripping(503)],
    ['no head', () => {}],
    [
      'early hints without end',
      (response) => {
        const timer = setInterval(
          () => response.writeEarlyHints({ link: '</a>; rel=preload' }),
          20,
        );
        response.on('close', () => clearInterval(timer));
      },
    ],
    ['a line without an end', endless('event: snapshot\ndata: ')],
    ['a comment without an end', endless(': ')],
  ];
  test.each(bad)('%s', { timeout: 30_000 }, async (_, answer) => {
    const server = await badServer(answer);
    const good: FakeRegistry = await context.registry();
    good.roll.set('orders', [endpointAt(1)]);
    const options = { silenceMs: 150, requestTimeoutMs: 150, connectTimeoutMs: 150 };
    const orders = clientOf([server.url, good.url], options).service('orders');
    await orders.ready({ endpoints: 0 });
    expect(ids(orders)).toEqual(['i-1/http']);
    expect(server.seen.length).toBeGreaterThan(0);
  });

  test('a large snapshot that comes slowly is waited for', async () => {
    const endpoints = Array.from({ length: 400 }, (_, at) => endpointAt(at + 1));
    const head = { namespace: 'default', service: 'orders', revision: '1', epoch: 'e' };
    const rest = { synced: true, storeAgeMs: 0, moving: false };
    const text = `event: snapshot\ndata: ${JSON.stringify({ ...head, endpoints })}\n\nevent: bookmark\ndata: ${JSON.stringify({ revision: '1', epoch: 'e', ...rest })}\n\n`;
    const slow = await badServer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let at = 0;
      const timer = setInterval(() => {
        response.write(text.slice(at, (at += text.length / 20)));
        if (at >= text.length) clearInterval(timer);
      }, 40);
      response.on('close', () => clearInterval(timer));
    });
    const orders = clientOf([slow.url], { silenceMs: 250 }).service('orders');
    await orders.ready({ endpoints: 0 });
    expect(orders.endpoints()).toHaveLength(400);
    expect(slow.seen).toHaveLength(1);
  });
});
