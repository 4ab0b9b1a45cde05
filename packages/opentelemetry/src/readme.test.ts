import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CollectorStub, startNode, until } from '@rollcall/testkit';
import { afterEach, expect, test } from 'vitest';
import { Served } from './testing/served.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const ending of endings.splice(0).toReversed()) await ending();
});

test('the example runs, and its spans reach a collector', async () => {
  const collector = await CollectorStub.start();
  const served = new Served();
  endings.push(
    () => collector.close(),
    () => served.end(),
  );
  const dying = await served.instance((request) => request.socket.destroy());
  const { registry } = await served.orders([dying, await served.instance()]);
  const [, example = ''] = /```ts\n(import [^`]*)```/.exec(readme) ?? [];
  // Beside the manifest, so that it finds the package's own libraries.
  const file = fileURLToPath(new URL(`../example-${process.pid}.ts`, import.meta.url));
  const first = `policy: 'round-robin', runtime: { random: () => 0 }`;
  writeFileSync(file, example.replace(`'http://127.0.0.1:7400'`, `'${registry.url}', ${first}`));
  endings.push(() => rmSync(file));
  const child = startNode(file, [], {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_SERVICE_NAME: 'shop',
    },
  });
  await until(() => child.hasExited);
  expect(child.output).toBe('200 ok\n');
  const own = collector.spans.filter(({ name }) => name !== 'app');
  expect(own.map(({ service, name, kind }) => [service, name, kind])).toEqual([
    ['shop', 'GET', 3],
    ['shop', 'GET', 3],
    ['shop', 'call orders.default', 1],
  ]);
  expect(new Set(own.map(({ traceId }) => traceId)).size).toBe(1);
});
