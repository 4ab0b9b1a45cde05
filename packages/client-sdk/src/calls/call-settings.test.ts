import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import type { CallSettings } from '../api/call-settings.ts';
import type { Answer } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

const hang: Answer = () => {};
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(`answer ${code}`);
const textOf = async (reply: Promise<{ body: { text(): Promise<string> } }>) =>
  (await reply).body.text();

describe('timeoutMs: the whole call', () => {
  test('no answer: it ends, names what it waited for, and blames nobody', async () => {
    const hanging = await backendOf(context, 'a', hang);
    const { service } = await serveOrders(context, [hanging.port]);
    await expect(service.request('/x?key=secret', { timeoutMs: 400 })).rejects.toMatchObject({
      code: 'timeout',
      mayHaveBeenProcessed: true,
      message: `GET /x of default/orders was not over within 400 ms: it waited for the answer of instance i-${hanging.port} at 127.0.0.1:${hanging.port}`,
    });
    await until(() => service.stats().inFlight === 0);
    expect(service.stats()).toMatchObject({ failures: 1, ejections: 0, retries: 0 });
  });

  test('an answer that drips is part of it', async () => {
    const dripping = await backendOf(context, 'a', (_, response) => response.write('some'));
    const { service } = await serveOrders(context, [dripping.port]);
    const { body } = await service.request('/x', { timeoutMs: 500 });
    await expect(body.text()).rejects.toMatchObject({
      code: 'timeout',
      mayHaveBeenProcessed: true,
      message: expect.stringContaining('it waited for the rest of the answer of instance'),
    });
    expect(service.stats()).toMatchObject({ failures: 0, inFlight: 0 });
  });

  test('so is the wait for an endpoint: nothing was sent', async () => {
    const { service } = await serveOrders(context, []);
    await expect(service.request('/x', { timeoutMs: 50, waitMs: 60_000 })).rejects.toMatchObject({
      code: 'timeout',
      mayHaveBeenProcessed: false,
      message: expect.stringMatching(/it waited for an endpoint$/),
      cause: { code: 'no_endpoints' },
    });
  });

  test('so are the pauses between tries', async () => {
    const busy = await backendOf(context, 'a', status(503));
    const { service } = await serveOrders(context, [busy.port], { runtime: { random: () => 0.5 } });
    const retry = { times: 99, backoff: { minMs: 30, maxMs: 60_000 } };
    const answer = await service.request('/x', { timeoutMs: 700, retry });
    // The pause that would go beyond the limit is not begun: this answer is the best there is.
    expect(answer.statusCode).toBe(503);
    expect(busy.seen.length).toBeGreaterThan(2);
    await answer.body.dump();
  });

  test('of fetch, through redirects too, and of the client and the service as defaults', async () => {
    const hanging = await backendOf(context, 'a', (request, response) => {
      // No redirect takes too long, but all of them do.
      const hop = Number(/^\/hop\/(\d)/.exec(request.url ?? '')?.[1] ?? 9);
      const answer = () => {
        if (hop < 4) response.writeHead(302, { location: `/hop/${hop + 1}` }).end();
        else if (hop === 4) response.end('too late');
      };
      setTimeout(answer, 100);
    });
    const { client, service } = await serveOrders(context, [hanging.port], {
      calls: { timeoutMs: 260 },
    });
    const timeout = { cause: { code: 'timeout' } };
    await expect(service.fetch('/hop/1')).rejects.toMatchObject(timeout);
    await expect(client.fetch('http://orders.rollcall/hop/1')).rejects.toMatchObject(timeout);
    const slow = client.service('orders', { timeoutMs: 60_000 });
    await expect(slow.fetch('/x', {}, { timeoutMs: 40 })).rejects.toMatchObject({
      cause: { code: 'timeout', message: expect.stringContaining('within 40 ms') },
    });
    await expect(slow.request('/x', { timeoutMs: 30 })).rejects.toMatchObject({
      message: expect.stringContaining('within 30 ms'),
    });
    await expect(
      client.fetch('http://127.0.0.1:1/', {}, { timeoutMs: 1_000 }),
    ).rejects.toMatchObject({ code: 'invalid_host' });
  });
});

describe('tryTimeoutMs: one try', () => {
  test('a call that may be repeated goes elsewhere; the slow one is given up and counted', async () => {
    let closed = 0;
    const hanging = await backendOf(context, 'a', (request) => {
      request.socket.once('close', () => closed++);
    });
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [hanging.port, alive.port], {
      calls: { ejection: { failuresInARow: 1 }, tryTimeoutMs: 500 },
    });
    expect(await textOf(service.request('/x'))).toBe('alive');
    expect(service.stats()).toMatchObject({ retries: 1, ejections: 1, failures: 0 });
    await until(() => closed === 1 && service.stats().inFlight === 0);
    const put = { method: 'PUT', body: 'b' } as const;
    expect(await textOf(service.request('/x', put))).toBe('alive');
  });

  test.each([
    ['a POST', { method: 'POST', body: 'b' }],
    ['a GET that is none to repeat', { idempotent: false }],
    ['a call with nowhere else to go', {}],
  ] as const)('%s fails at once', async (what, options) => {
    const hanging = await backendOf(context, 'a', hang);
    const alive = await backendOf(context, 'alive');
    const ports = 'method' in options || 'idempotent' in options ? [hanging, alive] : [hanging];
    const { service } = await serveOrders(
      context,
      ports.map(({ port }) => port),
    );
    await expect(
      service.request('/x', { ...options, tryTimeoutMs: 300 }),
      what,
    ).rejects.toMatchObject({
      code: 'response_lost',
      mayHaveBeenProcessed: true,
      message: expect.stringContaining('no answer within 300 ms'),
    });
    expect(alive.seen).toEqual([]);
    expect(hanging.seen).toHaveLength(1);
  });

  test('a body of one use is not sent twice, not even from a try that never had a connection', async () => {
    const [one, alive] = [await backendOf(context, 'one', hang), await backendOf(context, 'alive')];
    const { service } = await serveOrders(context, [one.port, alive.port], {
      calls: { maxConnections: 1 },
    });
    const first = service.request('/x').catch(() => {});
    await until(() => one.seen.length === 1);
    expect(await textOf(service.request('/y'))).toBe('alive');
    const body = Readable.from(['b']);
    // It waits for the one connection to the endpoint whose turn it is.
    await expect(
      service.request('/z', { tryTimeoutMs: 50, method: 'PUT', body }),
    ).rejects.toMatchObject({
      code: 'connect_failed',
      mayHaveBeenProcessed: false,
      message: expect.stringContaining('no connection within 50 ms'),
    });
    await service.close();
    await first;
    expect([one.seen, alive.seen]).toEqual([['GET /x'], ['GET /y']]);
  });

  test('a head in time may have a long body', async () => {
    const slow = await backendOf(context, 'a', (_, response) => {
      response.write('long');
      setTimeout(() => response.end(' body'), 900);
    });
    const { service } = await serveOrders(context, [slow.port]);
    expect(await textOf(service.request('/x', { tryTimeoutMs: 600 }))).toBe('long body');
  });
});

describe('retry: answers that ask for another try', () => {
  test('another endpoint answers; nobody sees the dropped one', async () => {
    const busy = await backendOf(context, 'a', status(503));
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [busy.port, alive.port]);
    expect(await textOf(service.request('/x', { retry: {} }))).toBe('alive');
    expect(busy.seen).toHaveLength(1);
    expect(service.stats()).toMatchObject({ retries: 1, failures: 0, inFlight: 0 });
  });

  test("the last answer is the caller's, whatever it is", async () => {
    const busy = await backendOf(context, 'a', status(503));
    const { service } = await serveOrders(context, [busy.port]);
    expect(await textOf(service.request('/x', { retry: { times: 2 } }))).toBe('answer 503');
    expect(busy.seen).toHaveLength(3);
    expect(await textOf(service.request('/x', { retry: { times: 0 } }))).toBe('answer 503');
    expect(await textOf(service.request('/x', { retry: { on: [502] } }))).toBe('answer 503');
    expect(await textOf(service.request('/x', { retry: {}, method: 'POST' }))).toBe('answer 503');
    expect(busy.seen).toHaveLength(6);
    expect(service.stats()).toMatchObject({ retries: 2, inFlight: 0 });
  });

  test('within the budget', async () => {
    const busy = await backendOf(context, 'a', status(503));
    const { service } = await serveOrders(context, [busy.port], {
      calls: { retryBudget: { ratio: 0, minPerSecond: 0, burst: 0 } },
    });
    expect(await textOf(service.request('/x', { retry: {} }))).toBe('answer 503');
    expect(busy.seen).toHaveLength(1);
  });

  test('Retry-After is waited for, up to the longest pause', async () => {
    const seenMs: number[] = [];
    const busy = await backendOf(context, 'a', (_, response) => {
      seenMs.push(performance.now());
      if (seenMs.length === 2) response.end('alive');
      else response.writeHead(503, { 'retry-after': '30' }).end();
    });
    const { service } = await serveOrders(context, [busy.port]);
    const retry = { backoff: { minMs: 0, maxMs: 120 } };
    expect(await textOf(service.request('/x', { retry }))).toBe('alive');
    expect(seenMs[1]! - seenMs[0]!).toBeGreaterThan(115);
  });

  test.each([10, 4_000_000])('a dropped answer of %d bytes holds nothing up', async (bytes) => {
    const busy = await backendOf(context, 'a', (_, response) =>
      response.writeHead(503).end(Buffer.alloc(bytes)),
    );
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [busy.port, alive.port], {
      calls: { maxConnections: 1 },
    });
    for (let call = 0; call < 4; call++)
      expect(await textOf(service.request('/x', { retry: {} }))).toBe('alive');
    expect(busy.seen).toHaveLength(4);
    expect(service.stats()).toMatchObject({ inFlight: 0, failures: 0 });
  });

  test('an abort in a pause ends the call at once', async () => {
    const busy = await backendOf(context, 'a', status(503, { 'retry-after': '9' }));
    const { service } = await serveOrders(context, [busy.port]);
    const given = new AbortController();
    const retry = { backoff: { maxMs: 60_000 } };
    const call = service.request('/x', { retry, signal: given.signal });
    await until(() => busy.seen.length === 1 && service.stats().retries === 1);
    given.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(service.stats()).toMatchObject({ inFlight: 0 });
  });
});

describe('endpoint: which ones may be called', () => {
  const labelled = async () => {
    const one = await backendOf(context, 'one');
    const two = await backendOf(context, 'two');
    const { service, ...rest } = await serveOrders(context, [
      endpointAt(one.port, { zone: 'eu-1', labels: { version: '1' } }),
      endpointAt(two.port, { zone: 'eu-2', labels: { version: '2', canary: 'yes' } }),
    ]);
    const answers = async (endpoint: NonNullable<CallSettings['endpoint']>) => {
      const texts = new Set<string>();
      for (let call = 0; call < 4; call++)
        texts.add(await textOf(service.request('/x', { endpoint })));
      return [...texts];
    };
    return { service, answers, two, ...rest };
  };

  test('by labels, by zone, by a function', async () => {
    const { answers, service } = await labelled();
    expect(await answers({ labels: { version: '2' } })).toEqual(['two']);
    expect(await answers({ zone: 'eu-1' })).toEqual(['one']);
    expect(await answers(({ labels }) => labels['canary'] === 'yes')).toEqual(['two']);
    expect(await answers({})).toHaveLength(2);
    const reply = await service.fetch('/x', {}, { endpoint: { zone: 'eu-2' } });
    expect(await reply.text()).toBe('two');
  });

  test('none matches: the error says what was asked for, and that there are others', async () => {
    const { service } = await labelled();
    const endpoint = { zone: 'eu-9', labels: { version: '2' } };
    await expect(service.request('/x', { endpoint })).rejects.toMatchObject({
      code: 'no_endpoints',
      message: expect.stringMatching(
        /^no endpoint of default\/orders with zone eu-9 and label version=2 can be called: on the roll 2 up on http, 2 others can be, /,
      ),
    });
  });

  test('one that comes later is waited for', async () => {
    const { service, registry, two } = await labelled();
    const call = service.request('/x', { endpoint: { zone: 'eu-3' }, waitMs: 30_000 });
    registry.change('orders', [endpointAt(two.port, { zone: 'eu-3' })], []);
    expect(await textOf(call)).toBe('two');
  });

  test("a retry keeps to it, and what its function throws is the caller's", async () => {
    const dying = await backendOf(context, 'a', (request) => request.socket.destroy());
    const alive = await backendOf(context, 'alive');
    const { service } = await serveOrders(context, [
      endpointAt(dying.port, { zone: 'eu-1' }),
      endpointAt(alive.port, { zone: 'eu-2' }),
    ]);
    await expect(service.request('/x', { endpoint: { zone: 'eu-1' } })).rejects.toMatchObject({
      code: 'response_lost',
    });
    expect(alive.seen).toEqual([]);
    const endpoint = () => {
      throw new Error('my own');
    };
    await expect(service.request('/x', { endpoint })).rejects.toThrow('my own');
    await expect(service.request('/x', { endpoint, waitMs: 1_000 })).rejects.toThrow('my own');
  });
});

describe('options that make no sense', () => {
  test.each([
    [{ timeoutMs: -1 }, 'option timeoutMs: expected milliseconds, 0 to 3600000, got -1'],
    [{ tryTimeoutMs: '5' }, 'option tryTimeoutMs: expected milliseconds, 0 to 3600000, got "5"'],
    [{ timoutMs: 5 }, 'option timoutMs: there is no such option; did you mean timeoutMs?'],
    [{ retry: { time: 1 } }, 'option retry.time: there is no such option; did you mean times?'],
    [
      { retry: { on: [200] } },
      'option retry.on.0: expected a list of statuses, 400 to 599, got 200',
    ],
    [
      { retry: { backoff: { minMs: 2, maxMs: 1 } } },
      'option retry.backoff: expected a minMs that is not above maxMs, got {"minMs":2,"maxMs":1}',
    ],
    [{ endpoint: 'eu-1' }, /^option endpoint: expected labels and a zone .* got "eu-1"$/],
    [
      { endpoint: { zon: 'a' } },
      'option endpoint.zon: there is no such option; did you mean zone?',
    ],
    [{ endpoint: { zone: '' } }, /^option endpoint.zone: expected the name of a zone/],
    [{ idempotent: 'yes' }, 'option idempotent: expected true or false, got "yes"'],
    [{ waitMs: Number.NaN }, /^option waitMs: expected milliseconds/],
  ])('%j', async (options, message) => {
    const { client, service } = await serveOrders(context, [1]);
    const wrong = {
      code: 'invalid_options',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    };
    const given = options as object;
    await expect(service.request('/x', given)).rejects.toMatchObject(wrong);
    await expect(service.fetch('/x', {}, given)).rejects.toMatchObject(wrong);
    await expect(client.fetch('http://orders.rollcall/', {}, given)).rejects.toMatchObject(wrong);
    expect(service.stats().calls).toBe(0);
  });

  test('of a service and a client', async () => {
    const { client } = await serveOrders(context, [1]);
    expect(() => client.service('orders', { timeoutMs: 0.5 })).toThrow(
      /option timeoutMs: expected/,
    );
    const registry = await context.registry();
    expect(() => context.client(registry, { calls: { retry: { times: -1 } } })).toThrow(
      /option calls.retry.times/,
    );
  });
});
