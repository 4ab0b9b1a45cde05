import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createAdminServer, listenAdmin } from './admin-server.ts';

async function start() {
  const state = { times: 0, isBroken: false };
  const admin = createAdminServer({
    metrics: new Registry(),
    waitingFor: () => [],
    isClosing: () => false,
    allowHosts: [],
    details: () => ({ more: 1 }),
    actions: {
      '/act': async () => {
        if (state.isBroken) throw new TypeError('ours');
        return { status: 200, body: { times: ++state.times } };
      },
      '/refuse': async () => ({
        problem: { status: 422, code: 'no', title: 'No', detail: 'not now', errors: ['a', 'b'] },
      }),
    },
  });
  onTestFinished(() => admin.close());
  const url = await listenAdmin(admin, { host: '127.0.0.1', port: 0 }, '');
  const post = async (path: string, headers: Record<string, string> = {}, body?: string) => {
    const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body: body ?? null });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  return { url, post, state };
}

test('an action is done with POST only, and answers', async () => {
  const { url, post, state } = await start();
  expect(await post('/act')).toEqual({ status: 200, body: { times: 1 } });
  expect(await post('/act', { 'content-type': 'application/json' }, '{}')).toMatchObject({
    status: 200,
  });
  expect(await post('/refuse')).toMatchObject({
    status: 422,
    body: { code: 'no', detail: 'not now', errors: ['a', 'b'] },
  });
  const got = await fetch(`${url}/act`);
  expect(got.status).toBe(404);
  expect(await got.json()).toMatchObject({ detail: expect.stringContaining('POST /act') });
  state.isBroken = true;
  expect(await post('/act')).toMatchObject({ status: 500, body: { code: 'internal' } });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
    status: 'ready',
    waitingFor: [],
    more: 1,
  });
});

test.each([
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a form with a file', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
  ['a form of text', { 'content-type': 'text/plain' }, 415],
  ['a page elsewhere', { origin: 'https://evil.example' }, 403],
  ['a page in a sandbox', { origin: 'null' }, 403],
  ['a page of the same site', { 'sec-fetch-site': 'same-site' }, 403],
])('what a browser may send without asking does nothing: %s', async (_, headers, status) => {
  const { post, state } = await start();
  expect(await post('/act', headers, 'a=b')).toMatchObject({ status });
  expect(state.times).toBe(0);
});
