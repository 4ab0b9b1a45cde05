import { once } from 'node:events';
import { connect } from 'node:net';
import type { OpenSpan, SpanAttributes, SpanEnd, Tracing } from '@rollcall/daemon';
import { freePort } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startRegistryServer } from '../compose.ts';

interface Noted {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attributes: SpanAttributes;
  end?: SpanEnd;
}

/** A server, and the spans that it makes. */
async function serve() {
  const spans: Noted[] = [];
  const tracing: Tracing = {
    fields: ['traceparent', 'tracestate'],
    server(name, headers, attributes): OpenSpan {
      const noted: Noted = { name, headers, attributes };
      spans.push(noted);
      const client = () => expect.fail('the registry sends nothing because of a request');
      return { headers: () => ({}), client, end: (end) => void (noted.end = end) };
    },
  };
  const port = await freePort();
  const server = await startRegistryServer({ port }, { tracing });
  onTestFinished(() => server.close());
  return { spans, url: server.url, port };
}

const INSTANCE = { address: '127.0.0.1', ports: { http: 1 }, ttlMs: 60_000 };

test('a request is one span, by its route; its path, which may hold a lease, is in none', async () => {
  const { spans, url } = await serve();
  const reply = await fetch(`${url}/v1/namespaces/shop/services/orders/instances/o1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', traceparent: 'one', 'x-own': '1' },
    body: JSON.stringify(INSTANCE),
  });
  const { lease } = (await reply.json()) as { lease: { id: string } };
  await (await fetch(`${url}/v1/leases/${lease.id}`, { method: 'PUT' })).text();
  await (await fetch(`${url}/v1/namespaces/shop/services/none/endpoints`)).text();
  await (await fetch(`${url}/nowhere?secret=1`)).text();
  await expect.poll(() => spans.filter(({ end }) => end !== undefined)).toHaveLength(4);
  expect(spans[0]).toEqual({
    name: 'PUT /v1/namespaces/:ns/services/:svc/instances/:id',
    headers: { traceparent: 'one' },
    attributes: {
      'http.request.method': 'PUT',
      'http.route': '/v1/namespaces/:ns/services/:svc/instances/:id',
      'url.scheme': 'http',
      'client.address': '127.0.0.1',
      'rollcall.namespace': 'shop',
      'rollcall.service': 'orders',
    },
    end: { attributes: { 'http.response.status_code': reply.status }, error: '' },
  });
  expect(spans.map(({ name }) => name).slice(1)).toEqual([
    'PUT /v1/leases/:lease',
    'GET /v1/namespaces/:ns/services/:svc/endpoints',
    'GET',
  ]);
  // A service without instances while the store is new. A 404 is no error of the server.
  expect(spans.map(({ end }) => end?.error)).toEqual(['', '', '503', '']);
  expect(JSON.stringify(spans)).not.toContain(lease.id);
  expect(JSON.stringify(spans)).not.toContain('secret');
});

test('probes, scrapes and streams are none', async () => {
  const { spans, url } = await serve();
  for (const path of ['livez', 'readyz', 'metrics']) await (await fetch(`${url}/${path}`)).text();
  const watching = new AbortController();
  await fetch(`${url}/v1/watch?services=orders`, { signal: watching.signal });
  watching.abort();
  expect(spans).toEqual([]);
});

test('a caller that leaves before its answer', async () => {
  const { spans, port } = await serve();
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `PUT /v1/namespaces/shop/services/orders/instances/o1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{`);
  await expect.poll(() => spans.length).toBe(1);
  socket.destroy();
  await expect.poll(() => spans[0]?.end).toEqual({ attributes: {}, error: 'client_closed' });
});
