import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestProcess, startNode } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { askUdp } from './testing/dns-client.ts';
import { decoded, queryBytes } from './testing/packets.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;

function run(...args: string[]): TestProcess {
  const child = startNode(MAIN, args, { env: { ROLLCALL_URL: '', ROLLCALL_TOKEN: '' } });
  onTestFinished(async () => void (await child.stop('SIGKILL')));
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

test('a taken port ends it with the options that change it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const child = run('--registry=http://127.0.0.1:1', `--port=${port}`, '--metrics=off');
  expect(await exitCode(child)).toBe(1);
  expect(child.output).toContain(
    `cannot listen on 127.0.0.1:${port}: another program listens there`,
  );
  expect(child.output).toContain('--host or --port');
});

test('starts without a registry, says where it listens, answers SERVFAIL, stays on SIGHUP and ends on SIGTERM', async () => {
  const child = run('--registry=http://127.0.0.1:1', '--port=0', '--metrics=127.0.0.1:0');
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  const { dns, admin } = JSON.parse(line) as { dns: [string]; admin: string };
  const [host = '', port] = dns[0].split(':');
  const answer = await askUdp({ host, port: Number(port) }, queryBytes('nginx', 'A'));
  expect(decoded(answer).rcode).toBe('SERVFAIL');
  child.child.kill('SIGHUP');
  await child.printed(/SIGHUP: ignored/);
  expect((await fetch(`${admin}/readyz`)).status).toBe(503);
  expect(await child.stop('SIGTERM')).toBe(0);
});
