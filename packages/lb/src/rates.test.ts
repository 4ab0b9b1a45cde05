import { expect, onTestFinished, test } from 'vitest';
import { FileBench } from './testing/file-bench.ts';
import { Load } from './testing/load.ts';

const RATE = 200;
const WARM_UP_MS = 2_000;
const MEASURED_MS = 10_000;

const wait = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));

test.each(['workers: 2', ''])('the rate of a rule is exact over time (%s)', async (workers) => {
  const bench = await FileBench.start({
    listeners: `[{ name: web, port: 0, rules: [{ path: /, fixedResponse: { status: 200, body: ok },
      rateLimit: { requestsPerSecond: ${RATE}, burst: 20 } }] }]`,
    more: workers,
  });
  const load = new Load(bench.url(), { clients: 6, isAnew: true });
  onTestFinished(() => load.stop());
  await wait(WARM_UP_MS);
  const [before, startMs] = [load.answered, performance.now()];
  await wait(MEASURED_MS);
  const seconds = (performance.now() - startMs) / 1_000;
  const perSecond = (load.answered - before) / seconds;
  await load.stop();
  expect(load.others).toMatch(/^429 /);
  expect(perSecond).toBeGreaterThan(RATE * 0.98);
  expect(perSecond).toBeLessThan(RATE * 1.02);
});
