import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, TestProcess, until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Stack } from './support/stack.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = /runs as (\d+)\n/g;
const UNITS = join(root, 'packaging/systemd');

/**
 * What systemd does, as far as a socket unit needs it: opens the socket, runs the balancer twice with it, and accepts
 * nothing itself, since it never returns to its event loop.
 */
const MANAGER = `
const { spawnSync } = require('node:child_process');
const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
  console.log('listens on ' + server.address().port);
  const run = 'echo "runs as $$"; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"';
  const main = 'packages/lb/src/main.ts';
  const flags = ['--conditions=@rollcall/source', main, '--config', process.argv[1]];
  const stdio = ['ignore', 'inherit', 'inherit', server._handle.fd];
  for (let i = 0; i < 2; i++) spawnSync('sh', ['-c', run, 'sh', process.execPath, ...flags], { stdio });
  process.exit();
});
`;

describe('socket activation', () => {
  let stack: Stack;
  let folder: string;
  let manager: TestProcess | undefined;
  beforeEach(() => {
    stack = new Stack();
    folder = mkdtempSync(join(tmpdir(), 'activation-'));
  });
  afterEach(async () => {
    await manager?.stop('SIGKILL');
    // What it started would outlive it.
    for (const [, pid] of manager?.output.matchAll(RUNS) ?? []) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
    await stack.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['more sockets than listeners', 2, '2 sockets were passed for 1 listeners'],
    ['what is no socket', 1, 'listeners[0]: the passed socket (descriptor 3): '],
  ])('%s: it does not start, and says why', async (_, count, why) => {
    const config = join(folder, 'lb.yaml');
    writeFileSync(
      config,
      `registry: { url: http://127.0.0.1:9 }
listeners: [{ name: web, port: 0, default: { targetGroup: web } }]
targetGroups: { web: { service: web } }
admin: { port: 0 }
`,
    );
    const fd = openSync('/dev/null', 'r');
    const script = `LISTEN_PID=$$ LISTEN_FDS=${count} exec "$@"`;
    const options = { cwd: root, within: ['sh', '-c', script, 'sh'], passes: [fd, fd] };
    const started = startNode(join(root, 'packages/lb/src/main.ts'), ['--config', config], options);
    await until(() => started.hasExited, { withinMs: 60_000 });
    closeSync(fd);
    expect(started.output).toContain(why);
    expect(started.child.exitCode).toBe(1);
  });

  test.each(['io: auto', 'io: net', 'workers: 2'])(
    'the balancer serves on a socket that it was given, and a restart refuses nobody (%s)',
    async (setting) => {
      const registry = await stack.registry(['--warm-up-ms', '0']);
      await stack.hello('hello-a', [registry.url]);
      const config = join(folder, 'lb.yaml');
      const adminPort = await freePort();
      writeFileSync(
        config,
        `registry: { url: ${registry.url} }
listeners:
  - { name: web, host: 192.0.2.1, port: 1, default: { targetGroup: web } }
targetGroups:
  web: { service: hello }
admin: { port: ${adminPort} }
${setting}
accessLog: off
`,
      );
      const managing = new TestProcess(process.execPath, ['-e', MANAGER, config], { cwd: root });
      manager = managing;
      const [, port = ''] = await managing.printed(/listens on (\d+)\n/);
      const url = `http://127.0.0.1:${port}/`;
      const pidOf = async (run: number) => {
        const found = () => [...managing.output.matchAll(RUNS)][run];
        return Number((await until(found, { withinMs: 60_000 }))[1]);
      };
      const first = await pidOf(0);
      expect(await (await fetch(url)).text()).toBe('hello from hello-a\n');
      await managing.printed(new RegExp(`http://127.0.0.1:${port}`));
      process.kill(first, 'SIGTERM');
      // Nobody accepts for a while, and yet nobody is refused.
      const second = pidOf(1);
      const state = { isOver: false };
      void second.then(() => (state.isOver = true));
      for (let asked = 0; asked < 3 || !state.isOver; asked++) {
        const reply = await fetch(url, { headers: { connection: 'close' } });
        expect(await reply.text()).toBe('hello from hello-a\n');
      }
      process.kill(await second, 'SIGTERM');
      await until(() => managing.hasExited, { withinMs: 60_000 });
    },
  );
});

describe('the units', () => {
  const units = readdirSync(UNITS).filter((name) => /\.(service|socket)$/.test(name));

  test('there is one for each server, and what they start exists', () => {
    expect(units.toSorted()).toEqual([
      'rollcall-dns.service',
      'rollcall-lb.service',
      'rollcall-lb.socket',
      'rollcall-node-proxy.service',
      'rollcall-registry.service',
    ]);
    for (const name of units.filter((one) => one.endsWith('.service'))) {
      const [, program] = /^rollcall-(.*)\.service$/.exec(name) ?? [];
      const text = readFileSync(join(UNITS, name), 'utf8');
      expect(text, name).toMatch(new RegExp(`^ExecStart=/usr/bin/env rollcall ${program}\\b`, 'm'));
      expect(text, name).toMatch(/^DynamicUser=yes$/m);
      expect(text, name).toMatch(/^ProtectSystem=strict$/m);
    }
  });

  test('systemd finds nothing wrong with them', async ({ skip }) => {
    try {
      execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    } catch {
      skip('this machine has no systemd-analyze');
    }
    for (const name of units) {
      const verified = new TestProcess('systemd-analyze', ['verify', join(UNITS, name)]);
      await until(() => verified.hasExited, { withinMs: 30_000 });
      // What it says about other units of this machine does not matter.
      const lines = verified.output.split('\n').filter((line) => line.includes('rollcall'));
      expect(lines).toEqual([]);
    }
  });
});
