import { TargetTraffic } from '@rollcall/balancing';
import { MAX_REPORTED } from '@rollcall/contract';
import { ManualClock } from '@rollcall/runtime/testing';
import { afterEach, expect, test } from 'vitest';
import type { CallRequest } from '../registry/call-request.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { resolveOptions } from '../api/options.ts';
import { RollcallError, type RollcallErrorCode } from '../base/error.ts';
import { TestContext } from '../testing/context.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';
import { TrafficReporter } from './traffic-reporter.ts';

const context = new TestContext();
afterEach(() => context.end());

const settle = () => new Promise((resolve) => void setImmediate(resolve));

interface Sent {
  readonly ns: string;
  readonly calls: Record<string, number>;
  readonly windowMs: number;
  readonly forMs: number | undefined;
}

function start({ trafficReportMs = 5_000 } = {}) {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const state: { failure?: RollcallErrorCode } = {};
  const call = async (_: string, { params, body }: CallRequest<'putTraffic'>) => {
    const { windowMs, forMs, endpoints } = body;
    const calls = endpoints.map(({ endpoint, calls: count }) => [endpoint, count]);
    sent.push({ ns: params.ns, calls: Object.fromEntries(calls), windowMs, forMs });
    if (state.failure !== undefined) throw new RollcallError(state.failure, 'refused');
  };
  const options = resolveOptions({
    url: 'http://127.0.0.1:1',
    trafficReportMs,
    runtime: {
      monotonicMs: () => clock.monotonicMs(),
      after: (ms, act) => clock.after(ms, act),
      random: () => 1,
    },
  });
  const reporter = new TrafficReporter({ call } as unknown as Pick<RegistryApi, 'call'>, options);
  context.onEnd(() => reporter.close());
  const source = (namespace?: string) => {
    const target = { id: 'a/http', inFlight: 0, traffic: new TargetTraffic() };
    const where = namespace === undefined ? {} : { namespace };
    const end = reporter.add({ service: 'orders', ...where, targets: () => [target] });
    return { target, end };
  };
  const pass = async (ms = 5_000) => {
    clock.advance(ms);
    await settle();
    return sent.splice(0);
  };
  return { reporter, source, pass, state };
}

test('what was called is reported once a window, and its end once more', async () => {
  const { source, pass } = start();
  const { target } = source();
  target.traffic.answered(1, false);
  target.traffic.answered(1, false);
  expect(await pass()).toEqual([
    { ns: 'default', calls: { 'a/http': 2 }, windowMs: 5_000, forMs: 15_000 },
  ]);
  expect(await pass()).toMatchObject([{ calls: {} }]);
  expect(await pass()).toEqual([]);
});

test('a call that is only under way is reported too', async () => {
  const { source, pass } = start();
  source().target.inFlight = 1;
  expect(await pass()).toMatchObject([{ calls: { 'a/http': 0 } }]);
});

test('one report for each namespace, none for those without calls', async () => {
  const { source, pass } = start();
  source().target.traffic.failed();
  source('shop').target.traffic.failed();
  source('idle');
  expect((await pass()).map(({ ns }) => ns).toSorted()).toEqual(['default', 'shop']);
});

test('a source that has ended is left out; after the close nothing is sent', async () => {
  const { reporter, source, pass } = start();
  const one = source();
  one.target.traffic.failed();
  one.end();
  expect(await pass()).toEqual([]);
  const other = source();
  other.target.traffic.failed();
  reporter.close();
  expect(await pass()).toEqual([]);
  source().target.traffic.failed();
  expect(await pass(60_000)).toEqual([]);
});

test('after a refusal it rests, after a failure it does not', async () => {
  const { source, pass, state } = start();
  const { target } = source();
  const call = () => target.traffic.failed();
  state.failure = 'store_unavailable';
  call();
  expect(await pass()).toHaveLength(1);
  state.failure = 'forbidden';
  call();
  expect(await pass()).toHaveLength(1);
  call();
  expect(await pass()).toEqual([]);
  delete state.failure;
  await pass(300_000);
  call();
  expect(await pass()).toMatchObject([{ calls: { 'a/http': 1 }, windowMs: 5_000 }]);
});

test('too many endpoints for one report make several', async () => {
  const { reporter, pass } = start();
  const targets = Array.from({ length: MAX_REPORTED + 5 }, (_, i) => {
    return { id: `i${i}/http`, inFlight: 1, traffic: new TargetTraffic() };
  });
  reporter.add({ service: 'orders', targets: () => targets });
  const sizes = async () => (await pass()).map(({ calls }) => Object.keys(calls).length);
  expect(await sizes()).toEqual([MAX_REPORTED, 5]);
  targets.splice(3);
  // The second one is replaced by an empty one.
  expect(await sizes()).toEqual([3, 0]);
  expect(await sizes()).toEqual([3]);
});

test('0 = never', async () => {
  const { source, pass } = start({ trafficReportMs: 0 });
  source().target.traffic.failed();
  expect(await pass(600_000)).toEqual([]);
});

test('every way of calling is counted: answers, errors, refused connections, picks', async () => {
  const status = { code: 200 };
  const backend = await backendOf(context, 'a', (_, response) => {
    response.statusCode = status.code;
    response.end();
  });
  const { registry, service } = await serveOrders(context, [backend.port, 1], {
    trafficReportMs: 100,
  });
  const get = async () => (await service.request('/')).body.dump();
  await get();
  status.code = 500;
  await get();
  const picked = service.pick();
  if (picked.kind === 'picked') picked.done('ok');
  const totals = () => {
    const reports = registry.seen.filter(({ path }) => path.includes('/traffic/'));
    const entries = reports.flatMap(({ body }) => (body as { endpoints: Entry[] }).endpoints);
    const sumOf = (id: string, field: 'calls' | 'failures') =>
      entries
        .filter(({ endpoint }) => endpoint === id)
        .reduce((total, entry) => total + entry[field], 0);
    const backendId = `i-${backend.port}/http`;
    return {
      calls: sumOf(backendId, 'calls'),
      failures: sumOf(backendId, 'failures'),
      refused: sumOf('i-1/http', 'failures'),
    };
  };
  await until(() => totals().calls === 3);
  // The second endpoint refused the second call, which then went to the first one.
  expect(totals()).toEqual({ calls: 3, failures: 1, refused: 1 });
});

interface Entry {
  readonly endpoint: string;
  readonly calls: number;
  readonly failures: number;
}
