import { readFileSync } from 'node:fs';
import { SpanKind } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { afterEach, expect, test } from 'vitest';
import { RollcallInstrumentation } from './index.ts';
import { Recorder } from './testing/recorder.ts';
import { Served } from './testing/served.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending();
});

const ignoreRequestHook = ({ headers }: { headers: string | readonly unknown[] }) =>
  headers.includes('traceparent');

test('that of undici leaves alone what is traced, as the README says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`({ headers }) => headers.includes('traceparent')`);
  const recorder = new Recorder();
  const served = new Served();
  const own = new RollcallInstrumentation();
  const undici = new UndiciInstrumentation({ ignoreRequestHook });
  for (const one of [own, undici]) one.setTracerProvider(recorder.tracerProvider);
  endings.push(
    () => recorder.close(),
    () => served.end(),
    () => own.disable(),
    () => undici.disable(),
  );
  const { service } = await served.orders([await served.instance()]);
  await (await service.request('/')).body.text();
  const requests = recorder.spans.filter(({ kind }) => kind === SpanKind.CLIENT);
  expect(requests).toHaveLength(1);
  const { traceId, spanId } = requests[0]!.spanContext();
  expect(served.seen[0]?.['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
});
