import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { type TestProcess, startNode, until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';

const MAIN = new URL('main.ts', import.meta.url).pathname;

async function run(
  args: readonly string[],
  config?: string,
  within: readonly string[] = [],
): Promise<TestProcess & { readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-lb-'));
  const file = join(folder, 'lb.yaml');
  if (config !== undefined) await writeFile(file, config);
  const child = startNode(MAIN, config === undefined ? args : [...args, file], { within });
  onTestFinished(async () => {
    await child.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });
  return Object.assign(child, { file });
}

async function exitCode(child: TestProcess): Promise<number | null> {
  if (!child.hasExited) await once(child.child, 'close');
  return child.child.exitCode;
}

const CONFIG = `registry: { url: http://127.0.0.1:1 }
listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]
admin: { port: 0 }
targetGroups: { hello: { service: hello } }
`;

test('--check exits with 0 on a good file', async () => {
  const child = await run(['--check'], CONFIG);
  expect(await exitCode(child)).toBe(0);
  expect(child.output).toMatch(/lb\.yaml: ok\n$/);
});

test('--check warns of what is allowed but not meant, on stderr, and exits with 0', async () => {
  const rules = 'rules: [{ priority: 1, targetGroup: hello }, { path: /a, targetGroup: hello }]';
  const child = await run(['--check'], CONFIG.replace('port: 0', `port: 0, ${rules}`));
  let errors = '';
  child.child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  expect(await exitCode(child)).toBe(0);
  expect(errors).toMatch(
    /^warning: \S+lb\.yaml:2:\d+: listeners\[0\]\.rules\[1\]: can never match, because listeners\[0\]\.rules\[0\] at \S+lb\.yaml:2:\d+ goes first and takes every request that it is for\n$/,
  );
  expect(child.output).toMatch(/lb\.yaml: ok\n/);
});

test.each([['--check'], ['--config']])('%s exits with 2 and every error', async (flag) => {
  const child = await run([flag], CONFIG.replace('port: 0', 'port: x').replace('web', 'W'));
  expect(await exitCode(child)).toBe(2);
  expect(child.output).toMatch(/lb\.yaml:2:21: listeners\[0\]\.name: bad value, got "W"/);
  expect(child.output).toMatch(/lb\.yaml:2:30: listeners\[0\]\.port: bad value, got "x"/);
  expect(child.output.trimEnd().split('\n')).toHaveLength(2);
});

test.each([['--check'], ['--config']])(
  '%s exits with 2 on a certificate that cannot be used',
  async (flag) => {
    const tls = 'tls: { certificates: [{ cert: /nowhere/x.pem, key: /nowhere/x.key }] }';
    const child = await run([flag], CONFIG.replace('port: 0', `port: 0, protocol: https, ${tls}`));
    expect(await exitCode(child)).toBe(2);
    expect(child.output).toMatch(
      /lb\.yaml:2:\d+: listeners\[0\]\.tls\.certificates\[0\]\.cert: bad file, got "\/nowhere\/x\.pem", expected a file that can be read \(ENOENT\)\n$/,
    );
    expect(child.output.trimEnd().split('\n')).toHaveLength(1);
  },
);

test.each([
  [[], 2, '--config: missing, expected a FILE'],
  [['--check', '/nowhere/lb.yaml'], 2, '/nowhere/lb.yaml: cannot be read: ENOENT'],
])('%j exits with %d', async (args, code, text) => {
  const child = await run(args);
  expect(await exitCode(child)).toBe(code);
  expect(child.output).toContain(text);
});

test('a taken port ends it with the key that changes it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const child = await run(['--config'], CONFIG.replace('port: 0', `port: ${port}`));
  expect(await exitCode(child)).toBe(1);
  expect(child.output).toContain(
    `cannot listen on 127.0.0.1:${port}: another program listens there`,
  );
  expect(child.output).toContain('listeners[0].port');
});

test('starts without a registry, says where it listens and why it cannot serve, applies its file on SIGHUP and ends on SIGTERM', async () => {
  const child = await run(['--config'], CONFIG);
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  const { listeners, admin } = JSON.parse(line) as {
    listeners: { web: string };
    admin: string;
  };
  const answer = await fetch(listeners.web);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'no_picture' });
  child.child.kill('SIGHUP');
  await child.printed(/SIGHUP: nothing has changed/);
  await writeFile(child.file, CONFIG.replace('name: web', 'name: site'));
  child.child.kill('SIGHUP');
  await child.printed(/SIGHUP: listener web removed; listener site added/);
  await writeFile(child.file, CONFIG.replace('name: web', 'name: Site'));
  child.child.kill('SIGHUP');
  await child.printed(/lb\.yaml:2:21: listeners\[0\]\.name: bad value, got \\"Site\\"/);
  expect((await fetch(`${admin}/readyz`)).status).toBe(503);
  await child.printed(/"path":"\/","protocol":"HTTP\/1\.1","status":503,"reason":"no_picture"/);
  expect(await child.stop('SIGTERM')).toBe(0);
});

/** A client that asks once and stays connected. */
function askingClient(port: string) {
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
  const client = { socket, text: '', isGone: false };
  socket.on('data', (chunk: Buffer) => (client.text += chunk.toString()));
  socket.on('close', () => (client.isGone = true));
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return client;
}

test.runIf(process.platform === 'linux')(
  'more clients than its few descriptors allow: some are served, the others turned away, nobody is blamed',
  async () => {
    const registry = await startTestServer();
    onTestFinished(() => registry.close());
    // Holds its answers, so that each client that is let in takes a second connection.
    const held: ServerResponse[] = [];
    let isHolding = true;
    const target = createHttpServer((_, response) => {
      if (isHolding) held.push(response);
      else response.end('ok');
    }).listen(0, '127.0.0.1');
    await once(target, 'listening');
    onTestFinished(() => {
      target.close();
      target.closeAllConnections();
    });
    const rollcall = new Rollcall({ url: registry.url });
    onTestFinished(() => rollcall.close());
    const { port } = target.address() as AddressInfo;
    await rollcall.register({ service: 'hello', port, address: '127.0.0.1', signals: false });

    const config = CONFIG.replace('http://127.0.0.1:1', registry.url);
    const few = ['bash', '-c', 'ulimit -n 150; exec "$@"', 'bash'];
    const child = await run(['--config'], config, few);
    const [, most] = await child.printed(/limits\.clientConnections: (\d+) instead of more/);
    const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
    const { listeners, admin } = JSON.parse(line) as { listeners: { web: string }; admin: string };

    const clients = Array.from({ length: 300 }, () => askingClient(new URL(listeners.web).port));
    onTestFinished(() => clients.forEach(({ socket }) => socket.destroy()));
    const gone = () => clients.filter(({ isGone }) => isGone);
    const what = 'each client to be let in or turned away';
    await until(() => held.length + gone().length >= clients.length, { what });
    expect(held).toHaveLength(Number(most));
    expect(
      gone()
        .map(({ text }) => text)
        .join(''),
    ).toBe('');

    isHolding = false;
    for (const response of held) response.end('ok');
    const served = clients.filter((client) => !gone().includes(client));
    const answers = (times: number) =>
      new RegExp(`^(HTTP/1\\.1 200 OK\\r\\n[^]*?\\r\\n\\r\\nok){${times}}$`);
    await until(() => served.every(({ text }) => answers(1).test(text)), { what: 'answers' });
    // They are still connected, and served again.
    for (const { socket } of served) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => served.every(({ text }) => answers(2).test(text)), { what: 'more answers' });

    expect(await (await fetch(`${admin}/targets`)).json()).toMatchObject({
      targetGroups: [{ targets: [{ state: 'healthy', requests: served.length * 2, failures: 0 }] }],
    });
    for (const { socket } of clients) socket.destroy();
    await until(async () => (await fetch(listeners.web)).status === 200, { what: 'a new client' });
    expect(child.output).not.toMatch(/"status":50/);
    expect(child.hasExited).toBe(false);
  },
);
