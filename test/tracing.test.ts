import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { RollcallInstrumentation } from '@rollcall/opentelemetry';
import { type CollectedSpan, CollectorStub, freePort, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stack } from './support/stack.ts';

const [SERVER, CLIENT] = [2, 3];
const CALLER = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

let stack: Stack;
let collector: CollectorStub;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  stack = new Stack();
  collector = await CollectorStub.start();
});
afterEach(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending();
  await stack.close();
  await collector.close();
});

const toCollector = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=seven',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
});

/** An instance of `hello` in this process. `seen`: what it received. */
async function startHello(url: string) {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.end('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const client = stack.client([url]);
  const { port } = server.address() as AddressInfo;
  await client.register({ service: 'hello', id: 'h1', port });
  return { seen, client };
}

/** The SDK of a caller, as an application sets it up: its spans go to memory and to the collector. */
function startCaller() {
  const memory = new InMemorySpanExporter();
  const exporter = new OTLPTraceExporter({ url: `${collector.url}/v1/traces` });
  const tracerProvider = new TracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor({ exporter: memory }),
      new BatchSpanProcessor({ exporter }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const instrumentation = new RollcallInstrumentation();
  instrumentation.setTracerProvider(tracerProvider);
  endings.push(() => {
    instrumentation.disable();
    context.disable();
    propagation.disable();
    return tracerProvider.shutdown();
  });
  return { memory, tracerProvider };
}

const call = (url: string, traceparent: string) =>
  fetch(`${url}/orders?secret=1`, { headers: { traceparent, baggage: 'tenant=7' } });

test('one trace from the caller through the balancer to the instance', async () => {
  const registry = await stack.registry([], undefined, toCollector());
  const { seen, client } = await startHello(registry.url);
  const balancer = await stack.balancer([registry.url], { env: toCollector() });
  await client.register({ service: 'front', id: 'lb', port: Number(new URL(balancer.url).port) });
  const front = client.service('front');
  await expect.poll(() => front.endpoints()).toHaveLength(1);
  const { memory, tracerProvider } = startCaller();
  const page = tracerProvider.getTracer('app').startSpan('page');
  await context.with(trace.setSpan(context.active(), page), async () =>
    (await front.request('/orders')).body.text(),
  );
  page.end();
  await tracerProvider.forceFlush();
  expect(await balancer.process.stop()).toBe(0);
  expect(await registry.process.stop()).toBe(0);

  const { traceId } = page.spanContext();
  const spans = new Map(collector.spans.map((span) => [span.spanId, span]));
  const parentOf = ({ parentSpanId }: CollectedSpan) => spans.get(parentSpanId)!;
  const [, , received = ''] = String(seen.at(-1)?.['traceparent']).split('-');
  const chain: CollectedSpan[] = [];
  for (let span = spans.get(received); span !== undefined; span = parentOf(span)) chain.push(span);
  expect(chain.map(({ name, kind, service }) => [name, kind, service])).toEqual([
    ['GET', CLIENT, 'rollcall-lb'],
    ['GET', SERVER, 'rollcall-lb'],
    ['GET', CLIENT, expect.stringContaining('unknown_service')],
    ['call front.default', 1, expect.stringContaining('unknown_service')],
    ['page', 1, expect.stringContaining('unknown_service')],
  ]);
  expect(new Set(chain.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(memory.getFinishedSpans().map(({ name }) => name)).toEqual([
    'GET',
    'call front.default',
    'page',
  ]);
  expect(chain[1]?.attributes).toMatchObject({
    'http.response.status_code': 200,
    'url.path': '/orders',
    'rollcall.target_group': 'web',
  });
  expect(chain[0]?.attributes).toMatchObject({
    'rollcall.endpoint': 'h1/http',
    'http.response.status_code': 200,
  });
  const registered = collector.spans.find(
    ({ service, attributes }) =>
      service === 'rollcall-registry' && attributes['rollcall.service'] === 'front',
  );
  expect(registered).toMatchObject({
    kind: SERVER,
    name: expect.stringMatching(/^PUT \/v1\/namespaces\/:ns\/services\/:svc/),
    parentSpanId: '',
  });
  expect(registered?.resource).toMatchObject({ 'deployment.environment.name': 'test' });
  expect(Object.keys(registered?.resource ?? {}).join()).not.toContain('process.command');
  expect(collector.headers.some((headers) => headers['x-tenant'] === 'seven')).toBe(true);
  // Neither probes nor streams.
  expect(collector.spans.map(({ name }) => name).join()).not.toMatch(/readyz|GET \/v1\/watch|hold/);
});

test('a trace that is not sampled is passed on, and not recorded', async () => {
  const registry = await stack.registry();
  const { seen } = await startHello(registry.url);
  const balancer = await stack.balancer([registry.url], { env: toCollector() });
  await (await call(balancer.url, `00-${CALLER.traceId}-${CALLER.spanId}-00`)).text();
  expect(seen.at(-1)?.['traceparent']).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-00$/);
  expect(seen.at(-1)?.['baggage']).toBe('tenant=7');
  expect(await balancer.process.stop()).toBe(0);
  // That it answers at all was asked without a trace.
  expect(collector.spans.length).toBeGreaterThan(0);
  expect(collector.spans.filter(({ traceId }) => traceId === CALLER.traceId)).toEqual([]);
});

/** Makes Node.js print what it loads of the SDK, and refuse it if it is `missing`. (prom-client loads the API.) */
function watchingLoads(missing = false): NodeJS.ProcessEnv {
  const script = `import { registerHooks } from 'node:module';
    registerHooks({
      resolve(name, context, next) {
        if (!name.startsWith('@opentelemetry/sdk')) return next(name, context);
        process.stdout.write('loads ' + name + '\\n');
        if (!${missing}) return next(name, context);
        throw Object.assign(new Error('no ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
      },
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

test('without the variables nothing is loaded, and a trace passes unchanged', async () => {
  const registry = await stack.registry([], undefined, watchingLoads());
  const { seen } = await startHello(registry.url);
  const balancer = await stack.balancer([registry.url], { env: watchingLoads() });
  const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
  await (await call(balancer.url, traceparent)).text();
  expect(seen.at(-1)?.['traceparent']).toBe(traceparent);
  for (const { output } of [registry.process, balancer.process])
    expect(output).not.toContain('loads ');
});

test('with them, but without the libraries, it serves and says what to install', async () => {
  const registry = await stack.registry();
  await startHello(registry.url);
  const env = { ...toCollector(), ...watchingLoads(true) };
  const balancer = await stack.balancer([registry.url], { env });
  expect(balancer.process.output).toContain('loads @opentelemetry/sdk-node');
  const lines = balancer.process.output.split('\n').filter((line) => line.includes('npm install'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('OTEL_EXPORTER_OTLP_ENDPOINT asks for traces');
});

test('variables that make no sense are told, and it serves', async () => {
  const registry = await stack.registry();
  await startHello(registry.url);
  const env = { ...toCollector(), OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url' };
  const balancer = await stack.balancer([registry.url], { env });
  expect((await call(balancer.url, '')).ok).toBe(true);
  expect(balancer.process.output).toMatch(/"level":[45]0[^\n]*not a url/);
  expect(await balancer.process.stop()).toBe(0);
});

test('a collector that is away harms nothing, and is told once', async () => {
  const registry = await stack.registry();
  await startHello(registry.url);
  const env = {
    ...toCollector(),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  };
  const balancer = await stack.balancer([registry.url], { env });
  const told = () => balancer.process.output.match(/"traces: [^"]*"/g) ?? [];
  await until(async () => {
    expect((await call(balancer.url, '')).ok).toBe(true);
    return told().length > 0;
  });
  for (let n = 0; n < 20; n++) await (await call(balancer.url, '')).text();
  expect(await balancer.process.stop()).toBe(0);
  expect(told()).toHaveLength(1);
  expect(told()[0]).toMatch(/traces: .*ECONNREFUSED.*; this is not repeated/);
});

test('a collector that never answers does not hold up the end', async () => {
  const silent = createTcpServer((socket) => socket.on('error', () => {}));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  endings.push(() => silent.close());
  const registry = await stack.registry();
  await startHello(registry.url);
  const tenMinutes = '600000';
  const env = {
    ...toCollector(),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: tenMinutes,
    OTEL_BSP_EXPORT_TIMEOUT: tenMinutes,
  };
  const balancer = await stack.balancer([registry.url], { env });
  expect(await balancer.process.stop()).toBe(0);
});
