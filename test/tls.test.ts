import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

// A registry that asks for certificates: every program can show one, and trust the registry's own.

const folder = mkdtempSync(join(tmpdir(), 'tls-'));
const pem = (name: string) =>
  fileURLToPath(new URL(`../packages/registry-server/src/testing/tls/${name}`, import.meta.url));
const FLAGS = [
  `--registry-ca=${pem('server.pem')}`,
  `--registry-cert=${pem('client.pem')}`,
  `--registry-key=${pem('client.key')}`,
];
const ENV = { ROLLCALL_URL: '', ROLLCALL_TOKEN: '' };

let registry: TestProcess;
let url: string;
beforeAll(async () => {
  const flags = ['--tls-cert', pem('server.pem'), '--tls-key', pem('server.key')];
  const args = ['--port', '0', ...flags, '--tls-client-ca', pem('client.pem')];
  registry = startNode('packages/registry-server/src/main.ts', args, { env: ENV });
  [, url = ''] = await registry.printed(/"url":"(https:[^"]+)"/);
}, 180_000);
afterAll(async () => {
  await registry.stop('SIGTERM');
  rmSync(folder, { recursive: true });
});

function start(name: string, args: readonly string[], env = {}): TestProcess {
  const child = startNode(`packages/${name}/src/main.ts`, args, { env: { ...ENV, ...env } });
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  return child;
}

async function becomesReady(port: number): Promise<void> {
  await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
}

test.each([
  ['dns-server', ['--port', '0']],
  ['node-proxy', []],
])('%s', async (name, more) => {
  const port = await freePort();
  const metrics = ['--metrics', `127.0.0.1:${port}`];
  start(name, ['--registry', url, ...metrics, ...FLAGS, ...more]);
  await becomesReady(port);
});

test('lb', async () => {
  const port = await freePort();
  const file = join(folder, 'lb.yaml');
  const files = `ca: ${pem('server.pem')}, cert: ${pem('client.pem')}, key: ${pem('client.key')}`;
  writeFileSync(
    file,
    `registry: { url: '${url}', ${files} }
listeners: [{ name: web, port: 0, default: { targetGroup: web } }]
targetGroups: { web: { service: web } }
admin: { port: ${port} }
accessLog: off
`,
  );
  start('lb', ['--config', file]);
  await becomesReady(port);
});

test('rollcall, by options and by variables', async () => {
  const env = { ROLLCALL_CA: pem('server.pem'), ROLLCALL_CERT: pem('client.pem') };
  for (const child of [
    start('cli', ['get', 'svc', '--registry', url, ...FLAGS]),
    start('cli', ['get', 'svc', '--registry', url], { ...env, ROLLCALL_KEY: pem('client.key') }),
  ]) {
    await until(() => child.hasExited);
    expect([child.output, child.child.exitCode]).toEqual([expect.stringContaining('rollcall'), 0]);
  }
});

test('without a certificate nobody is let in, and a wrong file is named', async () => {
  const child = start('cli', ['get', 'svc', '--registry', url, '--registry-ca', pem('server.pem')]);
  await until(() => child.hasExited);
  expect(child.child.exitCode).toBe(1);
  const dns = [
    '--registry',
    url,
    '--registry-cert',
    '/nowhere',
    '--registry-ca',
    pem('client.key'),
  ];
  for (const [wrong, text] of [
    [start('dns-server', dns), '--registry-cert: expected a file with a certificate (ENOENT)'],
    [start('node-proxy', dns), '--registry-ca: expected a file with a certificate ('],
    [
      start('node-proxy', ['--registry', url, '--registry-key', pem('client.key')]),
      '--registry-cert and --registry-key: expected both or neither',
    ],
    [
      start('cli', ['get', 'svc', '--registry-cert', '/nowhere']),
      '--registry-cert: expected a file in PEM: ENOENT',
    ],
  ] as const) {
    await until(() => wrong.hasExited);
    expect(wrong.output).toContain(text);
    expect(wrong.child.exitCode).toBe(2);
  }
});
