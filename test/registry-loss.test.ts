import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stack } from './support/stack.ts';

// What an operator sees of a registry that goes and comes back, at each program that does without it meanwhile.

const root = fileURLToPath(new URL('..', import.meta.url));
const GONE = /no registry answers: /g;
const BACK = /the registry answers: /g;

let stack: Stack;
const started: TestProcess[] = [];

beforeAll(() => {
  stack = new Stack();
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop('SIGKILL')));
  await stack.close();
});

test('each program logs the loss and the return once, and is degraded in between', async () => {
  const registry = await stack.registry(['--warm-up-ms', '0']);
  await stack.hello('hello-a', [registry.url]);
  const balancer = await stack.balancer([registry.url]);
  const [proxyPort, dnsPort, dnsAdmin] = [await freePort(), await freePort(), await freePort()];
  const start = (name: string, ...args: string[]): TestProcess => {
    const main = join(root, `packages/${name}/src/main.ts`);
    const child = startNode(main, ['--registry', registry.url, ...args], { cwd: root });
    started.push(child);
    return child;
  };
  const programs: [admin: string, child: TestProcess][] = [
    [balancer.admin, balancer.process],
    [
      `http://127.0.0.1:${proxyPort}`,
      start(
        'node-proxy',
        '--metrics',
        `127.0.0.1:${proxyPort}`,
        '--node-port-addresses',
        '127.0.0.1',
      ),
    ],
    [
      `http://127.0.0.1:${dnsAdmin}`,
      start('dns-server', '--port', `${dnsPort}`, '--metrics', `127.0.0.1:${dnsAdmin}`),
    ],
  ];
  // Some programs say more than this.
  const readiness = async (admin: string) => {
    const reply = await fetch(`${admin}/readyz`).catch(() => undefined);
    const { status, waitingFor } = ((await reply?.json()) ?? {}) as Record<string, unknown>;
    return { code: reply?.status, status, waitingFor };
  };
  const all = (expected: object) =>
    until(
      async () => {
        const seen = await Promise.all(programs.map(([admin]) => readiness(admin)));
        return seen.every((one) => JSON.stringify(one) === JSON.stringify(expected));
      },
      { withinMs: 60_000 },
    );
  await all({ code: 200, status: 'ready', waitingFor: [] });
  await registry.process.stop('SIGKILL');
  await all({ code: 200, status: 'degraded', waitingFor: ['registry'] });
  expect((await fetch(balancer.url)).status).toBe(200);
  const again = await stack.registry(['--warm-up-ms', '0'], registry.port);
  expect(again.url).toBe(registry.url);
  await all({ code: 200, status: 'ready', waitingFor: [] });
  const told = () =>
    programs.map(([, { output }]) => [output.match(GONE)?.length, output.match(BACK)?.length]);
  await until(() => told().every(([, back]) => back === 2));
  expect(told()).toEqual(programs.map(() => [1, 2]));
}, 180_000);
