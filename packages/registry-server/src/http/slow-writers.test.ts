import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Sends the beginning, then a byte each half second as long as somebody listens; what was heard, and after how long. */
function drip(beginning: string, byte: string) {
  return new Promise<{ readonly heard: string; readonly ms: number }>((resolve) => {
    const beganMs = performance.now();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let heard = '';
    const timer = setInterval(() => socket.write(byte), 500);
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ heard, ms: performance.now() - beganMs });
    });
    socket.write(beginning);
  });
}

const LINE =
  'PUT /v1/namespaces/default/services/orders/instances/a HTTP/1.1\r\nhost: localhost\r\n';
const HEAD = `${LINE}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"ports":`;

test('a request that does not arrive is ended after its time, not after that of the next look', async () => {
  const [head, body, silent] = await Promise.all([
    drip(`${LINE}x-slow: `, 'a'),
    drip(HEAD, ' '),
    drip(HEAD, ''),
  ]);
  for (const { heard } of [head, body, silent])
    expect(heard).toMatch(/^HTTP\/1.1 408 .*request_timeout/s);
  // 10 s for a head, 15 s for all of it; looked at once a second, and a busy machine looks later.
  expect(head.ms).toBeGreaterThan(9_000);
  expect(head.ms).toBeLessThan(30_000);
  for (const { ms } of [body, silent]) {
    expect(ms).toBeGreaterThan(14_000);
    expect(ms).toBeLessThan(40_000);
  }
});
