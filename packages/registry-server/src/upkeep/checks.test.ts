import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../testing/test-server.ts';

test('of two instances at one address, a check that never ends does not hold up the other', async () => {
  const state = { isWell: true };
  const open = new Set<ServerResponse>();
  const backend = createServer(({ url }, response) => {
    // Neither a head nor an end ever comes of the other paths.
    if (url === '/health') response.writeHead(state.isWell ? 200 : 503).end();
    else open.add(response);
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  onTestFinished(() => {
    backend.closeAllConnections();
    backend.close();
  });
  const { port } = backend.address() as AddressInfo;
  const server = await startTestServer();
  onTestFinished(() => server.close());
  const register = async (id: string, path: string, timeoutMs: number) => {
    const check = { type: 'http', path, timeoutMs, intervalMs: 500 };
    const body = { address: '127.0.0.1', ports: { http: port }, persistent: true, check };
    const url = `${server.url}/v1/namespaces/default/services/db/instances/${id}`;
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
    expect(reply.status).toBe(200);
  };
  const stateOf = async (id: string) => {
    const url = `${server.url}/v1/namespaces/default/services/db/instances/${id}`;
    return ((await (await fetch(url)).json()) as { state: string }).state;
  };
  await register('hanging', '/silent', 60_000);
  await until(() => open.size > 0);
  await register('db1', '/health', 1_000);
  await until(async () => (await stateOf('db1')) === 'up');
  state.isWell = false;
  await until(async () => (await stateOf('db1')) === 'down');
  state.isWell = true;
  await until(async () => (await stateOf('db1')) === 'up');
  // The first of its checks is under way all the while.
  expect(open.size).toBe(1);
  expect(await stateOf('hanging')).toBe('starting');
});
