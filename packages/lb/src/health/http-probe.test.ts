import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '@rollcall/runtime';
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

interface ProbeChanges {
  codes?: string;
  timeoutMs?: number;
  port?: number;
  dispatcher?: Agent;
}

function probe({ dispatcher, ...changes }: ProbeChanges = {}) {
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
  const way = dispatcher === undefined ? undefined : ({ scheme: 'http', dispatcher } as const);
  return new HttpProbe(config, systemClock, way);
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
  const result = await probe().probe({ host: '127.0.0.1', port });
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
    const result = await probe({ timeoutMs: 50 }).probe({ host: '127.0.0.1', port });
    expect(result).toEqual({ isGood: false, detail: expect.stringContaining('within 50 ms') });
  }
  const refused = await probe().probe({ host: '127.0.0.1', port: 1 });
  expect(refused).toEqual({ isGood: false, detail: expect.stringContaining('ECONNREFUSED') });
});

test('another port may be checked', async () => {
  const port = await serve((_, response) => response.end());
  expect(await probe({ port }).probe({ host: '127.0.0.1', port: 1 })).toMatchObject({
    isGood: true,
  });
});

test('a body beyond any use is bad at once, however fast it comes', async () => {
  const port = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const result = await probe({ timeoutMs: 60_000 }).probe({ host: '127.0.0.1', port });
  expect(result).toEqual({
    isGood: false,
    detail: 'GET /healthz?full=1 answered with more than 1048576 bytes',
  });
});

test('a check waits for nobody: others of the same address may never end', async () => {
  let requests = 0;
  const port = await serve((_, response) => {
    if (++requests > 20) response.end('ok');
    else if (requests % 2 === 0) response.write('without end');
  });
  const one = probe({ timeoutMs: 60_000 });
  const address = { host: '127.0.0.1', port };
  for (let i = 0; i < 20; i++) void one.probe(address);
  await expect.poll(() => requests, { timeout: 30_000 }).toBe(20);
  expect(await one.probe(address)).toMatchObject({ isGood: true });
});

test('a head that drips is bad when the time is over', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n');
    const dripping = setInterval(() => socket.write('X: y\r\n'), 10);
    socket.on('close', () => clearInterval(dripping));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const result = await probe({ timeoutMs: 200 }).probe({ host: '127.0.0.1', port });
  expect(result).toEqual({ isGood: false, detail: expect.stringContaining('within 200 ms') });
});

test('what this machine lacks is not held against the target', async () => {
  const error = Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' });
  const dispatcher = new Agent({ connect: (_options, done) => done(error, null) });
  const result = await probe({ dispatcher }).probe({ host: '127.0.0.1', port: 1 });
  expect(result).toMatchObject({ isGood: false, isLocalFault: true });
  expect(result.detail).toContain('EMFILE');
});
