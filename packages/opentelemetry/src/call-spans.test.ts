import { channel } from 'node:diagnostics_channel';
import { get, request as nodeRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { context, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { RequestMessage } from '@rollcall/client-sdk';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RollcallInstrumentation } from './index.ts';
import { incoming, Recorder } from './testing/recorder.ts';
import { Served } from './testing/served.ts';

let recorder: Recorder;
let served: Served;
let instrumentation: RollcallInstrumentation;
beforeEach(() => {
  recorder = new Recorder();
  served = new Served();
  instrumentation = new RollcallInstrumentation();
  instrumentation.setTracerProvider(recorder.tracerProvider);
});
afterEach(async () => {
  instrumentation.disable();
  await served.end();
  await recorder.close();
});

const traceparentOf = (span: { spanContext(): { traceId: string; spanId: string } }) =>
  `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`;
const named = (name: string) => recorder.spans.filter((span) => span.name === name);

/** An instance that dies of its first request. */
const dying = () => served.instance((request) => request.socket.destroy());

test('one call: a span of the call, and below it one of the request that was sent', async () => {
  const port = await served.instance();
  const { service } = await served.orders([port]);
  await recorder.within(async () => (await service.request('/a?token=secret')).body.text());
  const [request, call, app] = recorder.spans;
  expect(recorder.spans.map(({ name }) => name)).toEqual(['GET', 'call orders.default', 'app']);
  expect([request?.kind, call?.kind]).toEqual([SpanKind.CLIENT, SpanKind.INTERNAL]);
  expect(call?.parentSpanContext?.spanId).toBe(app?.spanContext().spanId);
  expect(request?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  const common = {
    'http.request.method': 'GET',
    'server.address': 'orders.default.rollcall',
    'server.port': 80,
    'rollcall.namespace': 'default',
    'rollcall.service': 'orders',
    'http.response.status_code': 200,
  };
  expect(request?.attributes).toEqual({
    ...common,
    'url.full': 'http://orders.default.rollcall/a',
    'rollcall.endpoint': `i-${port}/http`,
    'rollcall.zone': 'z1',
    'network.peer.address': '127.0.0.1',
    'network.peer.port': port,
  });
  expect(call?.attributes).toEqual({ ...common, 'rollcall.tries': 1 });
  expect(served.seen[0]?.['traceparent']).toBe(traceparentOf(request!));
});

test('an instance that dies: one trace, a span for each try, and the context goes with both', async () => {
  const alive = await served.instance();
  const { service } = await served.orders([await dying(), alive]);
  const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await context.with(incoming(parent, 'tenant=7'), async () =>
    (await service.request('/')).body.text(),
  );
  const [failed, repeated, call] = recorder.spans;
  expect(recorder.spans).toHaveLength(3);
  expect(new Set(recorder.spans.map((span) => span.spanContext().traceId))).toEqual(
    new Set(['a'.repeat(32)]),
  );
  expect(call?.parentSpanContext?.spanId).toBe('b'.repeat(16));
  for (const one of [failed, repeated])
    expect(one?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  expect(failed?.attributes).toMatchObject({ 'error.type': 'UND_ERR_SOCKET' });
  expect(failed?.attributes).not.toHaveProperty('http.request.resend_count');
  expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
  expect(repeated?.attributes).toMatchObject({
    'http.request.resend_count': 1,
    'network.peer.port': alive,
    'http.response.status_code': 200,
  });
  expect(repeated?.status.code).toBe(SpanStatusCode.UNSET);
  expect(call?.attributes).toMatchObject({ 'rollcall.tries': 2 });
  expect(call?.status.code).toBe(SpanStatusCode.UNSET);
  expect(served.seen.map((headers) => headers['traceparent'])).toEqual([
    traceparentOf(failed!),
    traceparentOf(repeated!),
  ]);
  for (const { baggage } of served.seen) expect(baggage).toBe('tenant=7');
});

test('without a span of the application, the tries of a call are still one trace', async () => {
  const { service } = await served.orders([await dying(), await served.instance()]);
  await (await service.request('/')).body.text();
  expect(new Set(recorder.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(named('call orders.default')[0]?.parentSpanContext).toBeUndefined();
});

test('fetch, the interceptor and the agents of node:http are traced alike', async () => {
  const { client, service } = await served.orders([await served.instance()]);
  const agent = createHttpAgent(client);
  served.onEnd(() => agent.destroy());
  await recorder.within(async () => {
    await (await service.fetch('/fetch', { method: 'POST', body: 'x' })).text();
    await (await client.fetch('http://orders.rollcall/by-url')).text();
    await new Promise<string>((resolve, reject) => {
      get('http://orders.rollcall/agent', { agent }, (response) => {
        void text(response).then(resolve, reject);
      }).on('error', reject);
    });
  });
  await expect.poll(() => recorder.spans.length).toBe(7);
  const requests = recorder.spans.filter(({ kind }) => kind === SpanKind.CLIENT);
  expect(requests.map(({ name }) => name)).toEqual(['POST', 'GET', 'GET']);
  expect(requests.map(({ attributes }) => attributes['url.full'])).toEqual(
    ['fetch', 'by-url', 'agent'].map((path) => `http://orders.default.rollcall/${path}`),
  );
  expect(served.seen.map((headers) => headers['traceparent'])).toEqual(requests.map(traceparentOf));
  expect(new Set(recorder.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('a call without an instance has no request, and says why it failed', async () => {
  const { service } = await served.orders([]);
  await expect(service.request('/')).rejects.toThrow('orders');
  expect(recorder.spans.map(({ name }) => name)).toEqual(['call orders.default']);
  expect(recorder.spans[0]?.attributes).toMatchObject({
    'error.type': 'no_endpoints',
    'rollcall.tries': 0,
  });
  expect(recorder.spans[0]?.status.code).toBe(SpanStatusCode.ERROR);
});

test('an answer of 404, an answer that breaks off, and a call that is given up are errors', async () => {
  const port = await served.instance((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/broken')
      response.writeHead(200).write('x', () => response.destroy());
  });
  const { service } = await served.orders([port]);
  await (await service.request('/missing')).body.text();
  await expect((await service.request('/broken')).body.text()).rejects.toThrow('closed');
  const gaveUp = new AbortController();
  const late = service.request('/never', { signal: gaveUp.signal });
  await expect.poll(() => served.seen.length).toBe(3);
  gaveUp.abort();
  await expect(late).rejects.toThrow('aborted');
  await expect.poll(() => named('GET').length).toBe(3);
  const outcomes = named('GET').map(({ attributes, status }) => [
    attributes['http.response.status_code'],
    attributes['error.type'],
    status.code,
  ]);
  expect(outcomes).toEqual([
    [404, '404', SpanStatusCode.ERROR],
    [200, 'UND_ERR_SOCKET', SpanStatusCode.ERROR],
    [undefined, 'AbortError', SpanStatusCode.ERROR],
  ]);
});

test('an unknown method', async () => {
  const { client } = await served.orders([await served.instance()]);
  const agent = createHttpAgent(client);
  served.onEnd(() => agent.destroy());
  const options = { agent, method: 'PURGE' };
  await new Promise((resolve, reject) => {
    nodeRequest('http://orders.rollcall/', options, (response) => {
      response.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
  await expect.poll(() => named('HTTP').length).toBe(1);
  expect(named('HTTP')[0]?.attributes).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PURGE',
  });
});

test('a trace that is not sampled is not recorded, and the instance is told', async () => {
  const { service } = await served.orders([await served.instance()]);
  const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
  await context.with(incoming(parent), async () => (await service.request('/')).body.text());
  expect(recorder.spans).toEqual([]);
  expect(served.seen[0]?.['traceparent']).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-00$/);
});

test('what the caller says of the trace itself is replaced', async () => {
  const { service } = await served.orders([await served.instance()]);
  const old = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
  await (await service.request('/', { headers: { TraceParent: old, 'x-own': '1' } })).body.text();
  expect(served.seen[0]).toMatchObject({ 'x-own': '1' });
  expect(served.seen[0]?.['traceparent']).toBe(traceparentOf(named('GET')[0]!));
});

test('a try that was answered and is repeated nevertheless has its own status', () => {
  const message = {
    namespace: 'default',
    service: 'orders',
    origin: 'https://orders.default.rollcall',
    method: 'GET',
    path: '/',
    tries: 1,
    endpoint: undefined,
    statusCode: undefined as number | undefined,
    error: undefined,
    headers: {},
  } satisfies RequestMessage;
  const tell = (event: string) => channel(`rollcall:request:${event}`).publish(message);
  tell('start');
  tell('try');
  message.statusCode = 503;
  message.tries = 2;
  tell('retry');
  message.statusCode = undefined;
  tell('try');
  message.statusCode = 200;
  tell('end');
  const statuses = recorder.spans.map(({ attributes }) => attributes['http.response.status_code']);
  expect(statuses).toEqual([503, 200, 200]);
  expect(recorder.spans[1]?.attributes['server.port']).toBe(443);
});
