import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestProcess, startNode } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = new URL('main.ts', import.meta.url).pathname;

function run(...args: string[]): TestProcess {
  const child = startNode(MAIN, args, { env: { ROLLCALL_URL: '', ROLLCALL_TOKEN: '' } });
  onTestFinished(() => void child.stop('SIGKILL'));
  return child;
}

async function exitCode(child: TestProcess): Promise<number | null> {
  if (!child.hasExited) await once(child.child, 'close');
  return child.child.exitCode;
}

test.each([[[], 2, '--registry: missing']])('%j exits with %d', async (args, code, text) => {
  const child = run(...args);
  expect(await exitCode(child)).toBe(code);
  expect(child.output).toContain(text);
});

test('a taken admin port ends it with the option that changes it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const child = run('--registry', 'http://127.0.0.1:1', '--metrics', `127.0.0.1:${port}`);
  expect(await exitCode(child)).toBe(1);
  expect(child.output).toContain(`cannot listen on 127.0.0.1:${port}`);
  expect(child.output).toContain('--metrics IP:PORT');
});

test('starts without a registry, says that it is not ready, stays on SIGHUP and ends on SIGTERM', async () => {
  const child = run('--registry', 'http://127.0.0.1:1', '--metrics', '127.0.0.1:0');
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  const { admin, reporter } = JSON.parse(line) as { admin: string; reporter: string };
  expect(reporter).toMatch(/^node-proxy\.[a-z0-9.-]+$/);
  expect((await fetch(`${admin}/livez`)).status).toBe(200);
  child.child.kill('SIGHUP');
  await child.printed(/SIGHUP: ignored/);
  expect((await fetch(`${admin}/readyz`)).status).toBe(503);
  expect(await child.stop('SIGTERM')).toBe(0);
});
