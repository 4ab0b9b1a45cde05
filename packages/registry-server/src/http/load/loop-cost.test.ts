import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../../compose.ts';
import { startTestServer } from '../../testing/test-server.ts';

/** What one request may hold up everybody else, in ms. */
const BOUND_MS = 20;
const ROUNDS = 5;
const INSTANCE = '/v1/namespaces/default/services/orders/instances/a';

/** Sends what it was given whenever it is told, in a thread of its own: what a client costs is not the server's. */
const CLIENT = `
  const { parentPort } = require('node:worker_threads');
  let given;
  parentPort.on('message', async (message) => {
    if (message !== 'go') return (given = message);
    const reply = await fetch(given.url, given.options);
    await reply.text();
    parentPort.postMessage(reply.status);
  });
`;

let server: RegistryServer;
let client: Worker;
beforeAll(async () => {
  server = await startTestServer();
  client = new Worker(CLIENT, { eval: true });
});
afterAll(async () => {
  await client.terminate();
  await server.close();
});

/**
 * CPU of the longest turn of this thread's loop while `act` goes on, in ms. CPU and not time: what other programs take
 * of the machine is no blocking.
 */
async function longestTurnMs(act: () => Promise<unknown>): Promise<number> {
  const state = { isOver: false, longest: 0 };
  const cpu = () => {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  };
  const watching = (async () => {
    for (let before = cpu(); !state.isOver;) {
      await nextTurn();
      const now = cpu();
      state.longest = Math.max(state.longest, now - before);
      before = now;
    }
  })();
  await act();
  state.isOver = true;
  await watching;
  return state.longest / 1_000;
}

const manifest = (text: string) => ({ method: 'POST', path: '/v1/apply', type: 'yaml', text });
const json = (method: string, path: string, text: string) => ({ method, path, type: 'json', text });
const many = (count: number, one: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => one(i)).join(',');

test.each<[string, ReturnType<typeof json>]>([
  ['brackets', manifest('['.repeat(900_000))],
  ['mappings in a line', manifest('{a: '.repeat(220_000))],
  ['mappings of JSON', manifest('{"a":'.repeat(150_000))],
  ['documents', manifest('{}\n---\n'.repeat(140_000))],
  ['aliases', manifest(`a: &a x\nb: [${'*a,'.repeat(200_000)}]`)],
  ['keys', manifest(`a:\n${Array.from({ length: 90_000 }, (_, i) => `  k${i}: 1`).join('\n')}`)],
  ['one long text', manifest(`a: "${'\\n'.repeat(450_000)}"`)],
  ['levels of an instance', json('PUT', INSTANCE, '{"ports":'.repeat(100_000))],
  [
    'labels',
    json('PUT', INSTANCE, `{"ports":{"http":1},"labels":{${many(40_000, (i) => `"l${i}":"x"`)}}}`),
  ],
  ['ports', json('PUT', INSTANCE, `{"ports":{${many(40_000, (i) => `"p${i}":1`)}}}`)],
  [
    'leases',
    json(
      'POST',
      '/v1/leases/renew',
      `{"leases":[${many(20_000, (i) => `"0.10000.${String(i).padStart(32, '0')}"`)}]}`,
    ),
  ],
])(
  'a megabyte of %s is answered without holding up the others',
  async (_, { method, path, type, text }) => {
    const options = { method, headers: { 'content-type': `application/${type}` }, body: text };
    client.postMessage({ url: `${server.url}${path}`, options });
    const ask = async () => {
      client.postMessage('go');
      const [status] = (await once(client, 'message')) as [number];
      expect(status).toBeGreaterThanOrEqual(400);
    };
    // The first is at the compiler's expense.
    const turns: number[] = [];
    for (let round = 0; round < ROUNDS; round++) turns.push(await longestTurnMs(ask));
    const seen = turns.map((ms) => ms.toFixed(1)).join(' ');
    expect(Math.min(...turns), seen).toBeLessThan(BOUND_MS);
  },
);
