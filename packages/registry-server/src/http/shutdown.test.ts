import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { startTestServer } from '../testing/test-server.ts';

test('what is under way when the server stops is answered', async () => {
  const server = await startTestServer();
  const { port } = new URL(server.url);
  const waiting = fetch(
    `${server.url}/v1/namespaces/default/services/a/endpoints?since=9000000000000000`,
  );
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  const body = '{"ports":{"http":1}}';
  const head = `PUT /v1/namespaces/default/services/a/instances/i HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head + body.slice(0, 5));
  // Both have arrived once a request behind them on another connection was answered.
  await fetch(`${server.url}/livez`);
  const closing = server.close();
  socket.write(body.slice(5));
  expect((await waiting).status).toBe(503);
  await until(() => text.startsWith('HTTP/1.1 200'));
  await closing;
  socket.destroy();
});

test('a check that hangs does not hold up the end', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const asked = once(silent, 'connection');
  const server = await startTestServer();
  await fetch(`${server.url}/v1/namespaces/default/services/db/instances/db1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ports: { http: (silent.address() as AddressInfo).port },
      persistent: true,
      check: { type: 'http', intervalMs: 500, timeoutMs: 60_000 },
    }),
  });
  const [socket] = (await asked) as [Socket];
  const startedAt = performance.now();
  await server.close();
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  socket.destroy();
  silent.close();
});
