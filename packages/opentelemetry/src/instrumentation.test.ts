import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { diag, propagation } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import * as semantic from '@opentelemetry/semantic-conventions';
import { endpointAt } from '@rollcall/client-sdk/testing';
import { CollectorStub } from '@rollcall/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import { ATTRIBUTE } from './semantics/attributes.ts';
import { RollcallInstrumentation } from './index.ts';
import { Recorder } from './testing/recorder.ts';
import { Served } from './testing/served.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending();
});

function open(): { recorder: Recorder; served: Served; instrumentation: RollcallInstrumentation } {
  const recorder = new Recorder();
  const served = new Served();
  const instrumentation = new RollcallInstrumentation();
  instrumentation.setTracerProvider(recorder.tracerProvider);
  instrumentation.setMeterProvider(recorder.meterProvider);
  endings.push(
    () => recorder.close(),
    () => served.end(),
    () => instrumentation.disable(),
  );
  return { recorder, served, instrumentation };
}

/** The attributes that the README names for a metric. */
function documented(metric: string): Set<string | undefined> {
  const document = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const row = document.split('\n').find((line) => line.startsWith(`| \`${metric}\` |`)) ?? '';
  const [, , , attributes = ''] = row.split('|');
  return new Set([...attributes.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

test('the metrics of calls', async () => {
  const { recorder, served } = open();
  const dying = await served.instance((request) => request.socket.destroy());
  const alive = await served.instance();
  const { service } = await served.orders([dying, alive]);
  await (await service.request('/')).body.text();
  const name = { 'rollcall.namespace': 'default', 'rollcall.service': 'orders' };
  const request = {
    ...name,
    'http.request.method': 'GET',
    'server.address': 'orders.default.rollcall',
    'server.port': 80,
  };
  const durations = await recorder.metric('http.client.request.duration');
  expect(durations.map(({ attributes }) => attributes)).toEqual([
    { ...request, 'error.type': 'UND_ERR_SOCKET' },
    { ...request, 'http.response.status_code': 200 },
  ]);
  const names = durations.flatMap(({ attributes }) => Object.keys(attributes));
  expect(new Set(names)).toEqual(documented('http.client.request.duration'));
  const buckets = { boundaries: { length: 14 } };
  expect(durations[0]?.value).toMatchObject({ count: 1, buckets });
  // In seconds.
  expect(durations[0]?.value).toHaveProperty(
    'sum',
    expect.toSatisfy((sum: number) => sum < 60),
  );
  expect(await recorder.metric('rollcall.client.retries')).toMatchObject([
    { attributes: name, value: 1 },
  ]);
  expect(new Set(Object.keys(name))).toEqual(documented('rollcall.client.retries'));
});

test('endpoints that are left out, and the endpoints of a picture', async () => {
  const { recorder, served } = open();
  const port = await served.instance((_request, response) => response.writeHead(500).end());
  const { service, registry } = await served.orders([port, port + 1]);
  for (let n = 0; n < 12; n++) {
    const reply = await service.request('/').catch(() => undefined);
    await reply?.body.text();
  }
  const name = { 'rollcall.namespace': 'default', 'rollcall.service': 'orders' };
  const [ejections] = await recorder.metric('rollcall.client.ejections');
  expect(ejections?.attributes).toEqual(name);
  expect(ejections?.value).toBeGreaterThan(0);
  const states = async () =>
    Object.fromEntries(
      (await recorder.metric('rollcall.client.endpoints')).map(({ attributes, value }) => [
        (attributes as Record<string, string>)['rollcall.endpoint.state'],
        value,
      ]),
    );
  registry.change('orders', [endpointAt(port, { state: 'draining' })]);
  await expect.poll(states).toEqual({ up: 1, draining: 1 });
  registry.change('orders', [], [`i-${port}/http`]);
  await expect.poll(states).toEqual({ up: 1, draining: 0 });
});

test('registrations, by state', async () => {
  const { recorder, served, instrumentation } = open();
  const { client } = await served.orders([]);
  const states = async () =>
    Object.fromEntries(
      (await recorder.metric('rollcall.client.registrations')).map(({ attributes, value }) => [
        (attributes as Record<string, string>)['rollcall.registration.state'],
        value,
      ]),
    );
  const first = await client.register({ service: 'stock', id: 'a', port: 1 });
  await client.register({ service: 'stock', id: 'b', port: 1 });
  expect(await states()).toEqual({ held: 2 });
  await first.drain({ settleMs: 0 });
  expect(await states()).toEqual({ held: 1, draining: 0 });
  instrumentation.disable();
  expect(await states()).toEqual({ held: 0, draining: 0 });
});

test('spans reach a collector by OTLP over HTTP, as one trace over a retry', async () => {
  const collector = await CollectorStub.start();
  const exporter = new OTLPTraceExporter({ url: `${collector.url}/v1/traces` });
  const recorder = new Recorder([new BatchSpanProcessor({ exporter })]);
  const served = new Served();
  const instrumentation = new RollcallInstrumentation();
  instrumentation.setTracerProvider(recorder.tracerProvider);
  endings.push(
    () => collector.close(),
    () => recorder.close(),
    () => served.end(),
    () => instrumentation.disable(),
  );
  const dying = await served.instance((request) => request.socket.destroy());
  const { service } = await served.orders([dying, await served.instance()]);
  await (await service.request('/')).body.text();
  await recorder.tracerProvider.forceFlush();
  const [failed, repeated, call] = collector.spans;
  expect(collector.spans.map(({ name, kind }) => [name, kind])).toEqual([
    ['GET', 3],
    ['GET', 3],
    ['call orders.default', 1],
  ]);
  expect([failed?.parentSpanId, repeated?.parentSpanId]).toEqual([call?.spanId, call?.spanId]);
  expect(repeated?.attributes['http.request.resend_count']).toBe(1);
});

test('registerInstrumentations takes it, and turns it on and off', async () => {
  const recorder = new Recorder();
  const served = new Served();
  endings.push(
    () => recorder.close(),
    () => served.end(),
  );
  const instrumentation = new RollcallInstrumentation({ enabled: false });
  const { service } = await served.orders([await served.instance()]);
  const { tracerProvider, meterProvider } = recorder;
  await (await service.request('/')).body.text();
  expect(served.seen[0]).not.toHaveProperty('traceparent');
  const off = registerInstrumentations({
    instrumentations: [instrumentation],
    tracerProvider,
    meterProvider,
  });
  await (await service.request('/')).body.text();
  expect(recorder.spans).toHaveLength(2);
  instrumentation.enable();
  await (await service.request('/')).body.text();
  expect(recorder.spans).toHaveLength(4);
  off();
  await (await service.request('/')).body.text();
  expect(recorder.spans).toHaveLength(4);
  for (const event of ['start', 'retry', 'try', 'try-failed', 'end', 'error'])
    expect(channel(`rollcall:request:${event}`).hasSubscribers).toBe(false);
});

test('an error of a propagator harms neither the call nor the process', async () => {
  const { served } = open();
  const { service } = await served.orders([await served.instance()]);
  const error = vi.fn<(message: string) => void>();
  const quiet = () => {};
  diag.setLogger({ error, warn: quiet, info: quiet, debug: quiet, verbose: quiet });
  endings.push(() => diag.disable());
  propagation.disable();
  propagation.setGlobalPropagator({
    inject: () => {
      throw new Error('broken');
    },
    extract: (given) => given,
    fields: () => [],
  });
  expect((await service.request('/')).statusCode).toBe(200);
  expect(error.mock.calls.flat().join()).toContain('rollcall:request:start');
});

test('wrong options are named', () => {
  const wrong = { enabled: 'no' } as unknown as { enabled: boolean };
  expect(() => new RollcallInstrumentation(wrong)).toThrow(
    'enabled: expected true or false, got no',
  );
});

test('all other names are those of the semantic conventions', () => {
  const known = new Set<unknown>(Object.values(semantic));
  for (const name of Object.values(ATTRIBUTE))
    if (!name.startsWith('rollcall.')) expect(known, name).toContain(name);
  expect(known).toContain('http.client.request.duration');
});

test('every attribute and metric is documented', () => {
  const document = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const metrics = ['retries', 'ejections', 'endpoints', 'registrations'];
  const names = [...Object.values(ATTRIBUTE), ...metrics.map((name) => `rollcall.client.${name}`)];
  for (const name of [...names, 'http.client.request.duration'])
    expect(document).toContain(`\`${name}\``);
});

test('only the API of OpenTelemetry is imported', () => {
  const manifest = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { dependencies: object; peerDependencies: object; version: string };
  expect(Object.keys(manifest.dependencies)).toEqual([
    '@rollcall/client-sdk',
    '@rollcall/contract',
    '@rollcall/runtime',
  ]);
  expect(Object.keys(manifest.peerDependencies)).toEqual(['@opentelemetry/api']);
  expect(new RollcallInstrumentation({ enabled: false }).instrumentationVersion).toBe(
    manifest.version,
  );
});
