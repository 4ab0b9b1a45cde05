import { expect, onTestFinished, test, vi } from 'vitest';
import { startNodeProxy } from './compose.ts';
import { readConfig } from './config.ts';

test('a registry that nobody answers at is told of once, and the proxy is not ready', async () => {
  const lines: string[] = [];
  const flags = ['--registry=http://127.0.0.1:1', '--metrics=127.0.0.1:0', '--shutdown-ms=0'];
  const log = (line: string) => void lines.push(line);
  const proxy = await startNodeProxy(readConfig(flags, {}), { log });
  onTestFinished(() => proxy.close());
  const told = () => lines.filter((line) => line.includes('is tried again'));
  await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 30_000 });
  expect(told()[0]).toMatch(/^watching all services.*127\.0\.0\.1:1.*ECONNREFUSED/);
  expect((await fetch(new URL('/readyz', proxy.admin))).status).toBe(503);
});
