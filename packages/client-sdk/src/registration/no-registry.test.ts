import { createServer, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Rollcall } from '../rollcall.ts';
import type { Runtime } from '../base/runtime.ts';
import { closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

async function portOf(answer: (response: ServerResponse) => void): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

const html = (status: number) => async () => {
  const port = await portOf((response) =>
    response
      .writeHead(status, { 'content-type': 'text/html' })
      .end('<html>\n\u001B[31mno\n</html>'),
  );
  return `http://127.0.0.1:${port}`;
};

describe('a url of something that is no registry', () => {
  const places: [string, () => Promise<string>, RegExp][] = [
    [
      '404',
      html(404),
      /^http:\/\/127\S+ answered 404 without a problem document.*"<html> \[31mno <\/html>"$/,
    ],
    ['301', html(301), /answered 301 without a problem document/],
    ['200', html(200), /answered PUT \S+ with an answer that no registry gives/],
    [
      'TLS towards http',
      async () => `https://127.0.0.1:${await portOf(() => {})}`,
      /did not answer: it does not speak TLS/,
    ],
    [
      'nobody',
      async () => `http://127.0.0.1:${await closedPort()}`,
      /did not answer: .*ECONNREFUSED/,
    ],
  ];
  test.each(places)(
    '%s: the process is warned once, and a timeout knows why',
    async (_, urlOf, why) => {
      const url = await urlOf();
      const warn = vi.fn<Runtime['warn']>();
      const client = new Rollcall({ url, runtime: { warn } });
      context.onEnd(() => client.close());
      const giveUp = new AbortController();
      const pending = client
        .register({ service: 'orders', id: 'a', port: 1, signal: giveUp.signal })
        .catch((error: unknown) => error);
      await until(() => warn.mock.calls.length === 1);
      const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      // A second round changes nothing.
      await new Promise((done) => setTimeout(done, 300));
      giveUp.abort(timeout);
      expect(await pending).toBe(timeout);
      expect((timeout as Error).cause).toMatchObject({ message: expect.stringMatching(why) });
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn.mock.calls[0]?.[0]).toContain(
        'registering instance a of default/orders fails, and is tried again: ',
      );
      const ready = client
        .service('orders')
        .ready({ endpoints: 0, signal: AbortSignal.timeout(200) });
      await expect(ready).rejects.toMatchObject({
        name: 'TimeoutError',
        cause: { code: expect.stringMatching(/^registry_(unreachable|garbled)$/) },
      });
    },
  );
});

test('a watch that stays down is told of once, and an abort knows why', async () => {
  const registry = await context.registry();
  const warn = vi.fn<Runtime['warn']>();
  let nowMs = 0;
  const runtime = { warn, monotonicMs: () => nowMs };
  const client = context.client(registry, { runtime, reconnectMaxMs: 20 });
  registry.script = () => 'replica_cold';
  const catalog = client.catalog();
  const ready = client.service('orders').ready({ endpoints: 0 });
  await until(() => registry.count('GET', /watch/) > 4);
  expect(warn).not.toHaveBeenCalled();
  nowMs = 1_001;
  await until(() => warn.mock.calls.length === 2);
  expect(warn.mock.calls.map(([message]) => message).toSorted()).toEqual([
    'watching all services fails, and is tried again: scripted replica_cold',
    'watching namespace default fails, and is tried again: scripted replica_cold',
  ]);
  const given = new AbortController();
  const waiting = catalog.ready({ signal: given.signal });
  given.abort(new DOMException('too long', 'TimeoutError'));
  await expect(waiting).rejects.toMatchObject({ cause: { code: 'replica_cold' } });
  const seen = registry.count('GET', /watch/);
  await until(() => registry.count('GET', /watch/) > seen + 4);
  expect(warn).toHaveBeenCalledTimes(2);
  registry.script = () => undefined;
  await ready;
});

test('a successor with the same id is told to the process, unless somebody listens', async () => {
  const registry = await context.registry();
  const warn = vi.fn<Runtime['warn']>();
  const heard = vi.fn<() => void>();
  for (const onSuperseded of [undefined, heard]) {
    const client = context.client(registry, { runtime: { warn } });
    const registration = await client.register({
      service: 'orders',
      id: 'a',
      port: 1,
      ttlMs: 1_000,
      ...(onSuperseded === undefined ? {} : { onSuperseded }),
    });
    for (const { lease } of registry.leases.values()) registry.superseded.add(lease);
    await until(() => registration.state === 'superseded');
    registry.leases.clear();
  }
  expect(heard).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls.map(([message]) => message)).toEqual([
    expect.stringContaining(
      'instance a of default/orders was taken over by another process with its id',
    ),
  ]);
});
