import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { freePort, startNode, type TestProcess } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startTarget } from './testing/file-bench.ts';
import { Load, MixedLoad } from './testing/load.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;
const WAIT = { timeout: 60_000 };

interface Stand {
  readonly child: TestProcess;
  readonly url: string;
  readonly admin: string;
  /** Process of the balancer below its supervisor. */
  readonly balancer: () => number;
  readonly write: (change: (config: string) => string) => Promise<void>;
  readonly readyz: () => Promise<{ readonly workers: { readonly pids: number[] } }>;
}

/** A supervised balancer with two workers, before one instance. */
async function start(within: readonly string[] = []): Promise<Stand> {
  const registry = await startTestServer();
  onTestFinished(() => registry.close());
  const rollcall = new Rollcall({ url: registry.url });
  onTestFinished(() => rollcall.close());
  const port = await startTarget('ok');
  await rollcall.register({ service: 'hello', port, address: '127.0.0.1', signals: false });
  const [web, adminPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-lb-'));
  const file = join(folder, 'lb.yaml');
  const config = `registry: { url: ${registry.url} }
listeners: [{ name: web, port: ${web}, default: { targetGroup: hello } }]
targetGroups: { hello: { service: hello } }
admin: { port: ${adminPort} }
accessLog: off
workers: 2
`;
  await writeFile(file, config);
  const child = startNode(MAIN, ['--config', file], { within });
  onTestFinished(async () => {
    await child.stop('SIGTERM');
    await rm(folder, { recursive: true });
  });
  await child.printed(/"msg":"listening"/);
  const admin = `http://127.0.0.1:${adminPort}`;
  return {
    child,
    url: `http://127.0.0.1:${web}`,
    admin,
    balancer: () => childrenOf(child.child.pid!)[0]!,
    write: (change) => writeFile(file, change(config)),
    readyz: async () => (await (await fetch(`${admin}/readyz`)).json()) as never,
  };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.runIf(process.platform === 'linux')(
  'SIGUSR2 replaces the whole program, and no request fails',
  async () => {
    const { child, url, balancer, readyz } = await start();
    const load = new MixedLoad(url);
    onTestFinished(() => load.stop());
    for (let i = 1; i <= 2; i++) {
      const before = balancer();
      const { workers } = await readyz();
      child.child.kill('SIGUSR2');
      const pids = async () => (await readyz().catch(() => ({ workers }))).workers.pids;
      await expect.poll(pids, WAIT).not.toEqual(workers.pids);
      const goal = load.answered + 100;
      await expect.poll(() => load.answered, WAIT).toBeGreaterThan(goal);
      for (const pid of [before, ...workers.pids])
        await expect.poll(() => isAlive(pid), WAIT).toBe(false);
    }
    await load.stop();
    expect(load.others).toBe('');
    expect(child.output).toMatch(/renewed: process \d+ serves/);
  },
);

test.runIf(process.platform === 'linux')(
  'what cannot start does not replace what serves; SIGHUP reaches the balancer',
  async () => {
    const { child, url, balancer, write } = await start();
    const before = balancer();
    await write((config) => config.replace('name: web', 'name: Web'));
    child.child.kill('SIGUSR2');
    await child.printed(/not renewed: what is installed now ended with exit code 2/);
    expect(balancer()).toBe(before);
    expect((await fetch(url)).status).toBe(200);
    child.child.kill('SIGHUP');
    await child.printed(/SIGHUP: refused/);
    await write((config) => config.replace('workers: 2', 'workers: 1'));
    child.child.kill('SIGHUP');
    await child.printed(/SIGHUP: workers changed/);
    const { output } = child;
    expect(await child.stop('SIGTERM')).toBe(0);
    expect(output).not.toContain('"level":60');
  },
);

test.runIf(process.platform === 'linux')(
  'a balancer that dies is started again: meanwhile connections wait',
  async () => {
    const { child, url, balancer } = await start();
    const load = new Load(url, { isAnew: true, clients: 4 });
    onTestFinished(() => load.stop());
    await expect.poll(() => load.answered, WAIT).toBeGreaterThan(50);
    process.kill(balancer(), 'SIGKILL');
    await child.printed(/the balancer \(process \d+\) has ended: SIGKILL; it is started again/);
    const goal = load.answered + 100;
    await expect.poll(() => load.answered, WAIT).toBeGreaterThan(goal);
    await load.stop();
    // Its workers finish what they have accepted.
    expect(load.others).toBe('');
  },
);

test.runIf(process.platform === 'linux')(
  'when the supervisor is killed, all that it started ends',
  async () => {
    const { child, balancer, readyz } = await start();
    const pids = [balancer(), ...(await readyz()).workers.pids];
    await child.stop('SIGKILL');
    for (const pid of pids) await expect.poll(() => isAlive(pid), WAIT).toBe(false);
  },
);

test.runIf(process.platform === 'linux')(
  'what operators have taken out of use stays so, whichever balancer serves',
  async () => {
    const { child, url, admin, balancer } = await start();
    const status = async () => (await fetch(url, { headers: { connection: 'close' } })).status;
    await expect.poll(status, WAIT).toBe(200);
    const { targetGroups } = (await (await fetch(`${admin}/targets`)).json()) as {
      targetGroups: { targets: { id: string }[] }[];
    };
    const path = `${admin}/targets/hello/${encodeURIComponent(targetGroups[0]!.targets[0]!.id)}`;
    await fetch(`${path}/drain?force=true`, { method: 'POST' });
    await expect.poll(status, WAIT).toBe(503);
    const before = balancer();
    child.child.kill('SIGUSR2');
    await child.printed(/renewed: process \d+ serves/);
    for (let i = 0; i < 20; i++) expect(await status()).toBe(503);
    await expect.poll(() => isAlive(before), WAIT).toBe(false);
    process.kill(balancer(), 'SIGKILL');
    await child.printed(/it is started again/);
    for (let i = 0; i < 20; i++) expect(await status()).toBe(503);
    const undrain = async () => (await fetch(`${path}/undrain`, { method: 'POST' })).status;
    await expect.poll(() => undrain().catch(() => 0), WAIT).toBe(200);
    await expect.poll(status, WAIT).toBe(200);
  },
);
