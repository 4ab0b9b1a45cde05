import { expect, onTestFinished, test, vi } from 'vitest';
import { startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';

test('a registry that nobody answers at is told of once, and the balancer is not ready', async () => {
  const lines: string[] = [];
  const text = `registry: { url: http://127.0.0.1:1 }
listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]
targetGroups: { hello: { service: hello } }
admin: { port: 0 }
accessLog: off`;
  const balancer = await startLoadBalancer(parseConfig(text, 'lb.yaml', {}), {
    log: (line) => void lines.push(line),
  });
  onTestFinished(() => balancer.close());
  const told = () => lines.filter((line) => line.includes('is tried again'));
  await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 30_000 });
  expect(told()[0]).toMatch(/^watching namespace default fails.*127\.0\.0\.1:1.*ECONNREFUSED/);
  const ready = await fetch(new URL('/readyz', balancer.addresses.admin));
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'waiting', waitingFor: ['hello'] },
  ]);
});
