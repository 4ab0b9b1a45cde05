import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterAll, expect, onTestFinished, test } from 'vitest';

// What docs/programs.md says of all programs, asked of each.

const folder = mkdtempSync(join(tmpdir(), 'programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOWHERE = 'http://127.0.0.1:9';
const ENV = { ROLLCALL_URL: '', ROLLCALL_TOKEN: '', NO_COLOR: '1' };

interface Server {
  /** How it is begun, its admin port being the one given. */
  readonly args: (port: number) => readonly string[];
  /** Until it can do its work it waits for this; nothing where it depends on nobody. */
  readonly waitingFor: readonly string[];
}

const SERVERS: Readonly<Record<string, Server>> = {
  'registry-server': { args: (port) => ['--port', `${port}`], waitingFor: [] },
  'dns-server': {
    args: (port) => ['--registry', NOWHERE, '--port', '0', '--metrics', `127.0.0.1:${port}`],
    waitingFor: ['registry'],
  },
  'node-proxy': {
    args: (port) => ['--registry', NOWHERE, '--metrics', `127.0.0.1:${port}`],
    waitingFor: ['registry'],
  },
  lb: { args: (port) => ['--config', balancerFile(port)], waitingFor: ['web'] },
};
const PROGRAMS = [...Object.keys(SERVERS), 'cli'];

function balancerFile(port: number): string {
  const file = join(folder, `${port}.yaml`);
  writeFileSync(
    file,
    `registry: { url: '${NOWHERE}' }
listeners: [{ name: web, port: 0, default: { targetGroup: web } }]
targetGroups: { web: { service: web } }
admin: { port: ${port} }
accessLog: off
`,
  );
  return file;
}

function start(name: string, ...args: string[]): TestProcess {
  const child = startNode(`packages/${name}/src/main.ts`, args, { env: ENV });
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  return child;
}

async function ended(child: TestProcess): Promise<{ code: number | null; output: string }> {
  if (!child.hasExited) await once(child.child, 'close');
  return { code: child.child.exitCode, output: child.output };
}

test.each(PROGRAMS)(
  '%s tells its options and its version, and refuses others with 2',
  async (name) => {
    const [help, version, wrong] = await Promise.all(
      ['-h', '--version', '--no-such-thing'].map((flag) => ended(start(name, flag))),
    );
    expect(help).toMatchObject({ code: 0, output: expect.stringContaining('--help') });
    expect(version).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(wrong?.code).toBe(2);
    expect(wrong?.output).toContain('no-such-thing');
  },
);

test('a list is repeated or separated by commas, in flags and variables alike', async () => {
  const wrong = 'http://127.0.0.1:9,ftp://x';
  const expected = 'expected an http:// or https:// url, got "ftp://x"';
  const repeated = start('dns-server', '--registry', NOWHERE, '--registry', 'ftp://x');
  expect((await ended(repeated)).output).toContain(`--registry: ${expected}`);
  const env = { ...ENV, ROLLCALL_URL: wrong };
  const child = startNode('packages/node-proxy/src/main.ts', [], { env });
  expect((await ended(child)).output).toContain(`ROLLCALL_URL: ${expected}`);
  const registry = await ended(
    start('registry-server', '--allow-address', '10.0.0.0/8', '--allow-address=10.1.0.0/16,x'),
  );
  expect(registry.code).toBe(2);
  expect(registry.output).toContain('--allow-address: expected networks such as');
  expect(registry.output).toContain('got "x"');
  const urls = ['--registry', 'http://127.0.0.1:1', '--registry', 'http://127.0.0.1:2'];
  const cli = await ended(start('cli', 'get', 'svc', ...urls));
  expect(cli.code).toBe(1);
  expect(cli.output).toContain('http://127.0.0.1:1,http://127.0.0.1:2');
});

test.each(Object.entries(SERVERS))(
  '%s logs JSON lines, says how ready it is, refuses in problem documents, and ends with 0',
  async (name, { args, waitingFor }) => {
    const port = await freePort();
    const child = start(name, ...args(port));
    const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
    expect(JSON.parse(line)).toMatchObject({ level: 30, time: expect.any(Number) });
    const ask = (path: string, headers = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers });
    expect(await (await ask('/livez')).json()).toEqual({ status: 'live' });
    const isReady = waitingFor.length === 0;
    await until(async () => (await ask('/readyz')).status === (isReady ? 200 : 503));
    expect(await (await ask('/readyz')).json()).toMatchObject({
      status: isReady ? 'ready' : 'waiting',
      waitingFor,
    });
    const metrics = await (await ask('/metrics')).text();
    expect(metrics).toContain('rollcall_internal_faults_total');
    expect(metrics).toContain('process_cpu_seconds_total');
    for (const refused of [
      await ask('/no/such/path'),
      await ask('/livez', { origin: 'http://x' }),
    ]) {
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await refused.json()).toMatchObject({
        status: refused.status,
        title: expect.any(String),
        code: expect.any(String),
        detail: expect.any(String),
      });
    }
    child.child.kill('SIGHUP');
    const hungUp =
      name === 'lb' ? 'nothing has changed' : 'ignored; options are read at start only';
    await child.printed(new RegExp(`\\{.*"msg":"SIGHUP: ${hungUp}"\\}`));
    expect(await child.stop('SIGTERM')).toBe(0);
  },
);
