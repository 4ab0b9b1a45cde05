import { expect, onTestFinished, test, vi } from 'vitest';
import { startDnsServer } from './compose.ts';
import { readConfig } from './config/config.ts';

test('a registry that nobody answers at is told of once', async () => {
  const lines: string[] = [];
  const flags = ['--registry=http://127.0.0.1:1', '--port=0', '--metrics=off'];
  const server = await startDnsServer(readConfig(flags), { log: (line) => void lines.push(line) });
  onTestFinished(() => server.close());
  const told = () => lines.filter((line) => line.includes('is tried again'));
  await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 30_000 });
  expect(told()[0]).toMatch(/^watching all services.*127\.0\.0\.1:1.*ECONNREFUSED/);
});
