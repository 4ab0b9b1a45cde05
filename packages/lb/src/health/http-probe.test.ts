import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemTimers } from '../runtime/timers.ts';
import { HttpProbe } from './http-probe.ts';

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

function probe(changes: { codes?: string; timeoutMs?: number; port?: number } = {}) {
  const config = {
    enabled: true,
    path: '/healthz?full=1',
    intervalMs: 1_000,
    timeoutMs: 2_000,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
    codes: '200-299,418',
    ...changes,
  };
  return new HttpProbe(config, systemTimers);
}

test.each([
  [200, true, ''],
  [299, true, ''],
  [418, true, ''],
  [302, false, ', expected 200-299,418'],
  [500, false, ', expected 200-299,418'],
])('status %d is good: %s', async (status, isGood, expected) => {
  let target: string | undefined;
  const port = await serve((incoming, response) => {
    target = incoming.url;
    response.writeHead(status, { Location: '/elsewhere' }).end('body');
  });
  const result = await probe().check({ host: '127.0.0.1', port });
  expect(target).toBe('/healthz?full=1');
  expect(result).toEqual({
    isGood,
    detail: `GET /healthz?full=1 answered ${status}${expected}`,
  });
});

test('silence, a body without end and a closed port are bad, and say what happened', async () => {
  const silent = await serve(() => {});
  const endless = await serve((_, response) => void response.write('...'));
  for (const port of [silent, endless]) {
    const result = await probe({ timeoutMs: 50 }).check({ host: '127.0.0.1', port });
    expect(result).toEqual({ isGood: false, detail: expect.stringContaining('within 50 ms') });
  }
  const refused = await probe().check({ host: '127.0.0.1', port: 1 });
  expect(refused).toEqual({ isGood: false, detail: expect.stringContaining('ECONNREFUSED') });
});

test('another port may be checked', async () => {
  const port = await serve((_, response) => response.end());
  expect(await probe({ port }).check({ host: '127.0.0.1', port: 1 })).toMatchObject({
    isGood: true,
  });
});
