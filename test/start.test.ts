import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { freeNodePort, freePort, startNode, type TestProcess, until } from '@rollcall/testkit';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'packages/rollcall/src/main.ts');
let stack: TestProcess | undefined;

afterEach(async () => {
  await stack?.stop('SIGTERM');
});

/** Pids of the processes that a process started. */
function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .map(Number);
  } catch {
    return [];
  }
}

/** Over a connection of its own: the proxy chooses for connections and not for requests. */
function readAlone(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => void text(response).then(resolve, reject)).on(
      'error',
      reject,
    );
  });
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function portFlags(): Promise<{ flags: string[]; lb: number }> {
  const [registry, lb, admin] = [await freePort(), await freePort(), await freePort()];
  // Two stacks of one machine would want the same addresses.
  const cidr = `127.${100 + Math.floor(Math.random() * 100)}.0.0/16`;
  const flags = [
    '--registry-port',
    `${registry}`,
    '--lb-port',
    `${lb}`,
    '--lb-admin-port',
    `${admin}`,
    '--dns-port',
    `${await freePort()}`,
    '--service-cidr',
    cidr,
    '--node-port',
    `${await freeNodePort()}`,
  ];
  return { flags, lb };
}

describe('npm start', () => {
  test('starts all, answers in turn, shows a death, and leaves no process behind', async () => {
    const { flags, lb } = await portFlags();
    stack = startNode(main, ['dev', ...flags], { cwd: root });
    await stack.printed(/Ctrl-C ends everything/);
    const children = childrenOf(stack.pid);
    expect(children).toHaveLength(8);

    const answers: string[] = [];
    for (let i = 0; i < 9; i++) answers.push(await (await fetch(`http://127.0.0.1:${lb}/`)).text());
    for (let i = 3; i < 9; i++) expect(answers[i]).toBe(answers[i - 3]);
    expect(new Set(answers).size).toBe(3);

    const [, clusterIp = '', nodePort = ''] = await stack.printed(
      /cluster IP ([\d.]+):8080, node port (\d+)/,
    );
    for (const address of [`${clusterIp}:8080`, `127.0.0.1:${nodePort}`]) {
      const seen = new Set<string>();
      for (let i = 0; i < 6; i++) seen.add(await readAlone(`http://${address}/`));
      expect(seen.size).toBe(3);
    }
    const [, dnsPort = ''] = await stack.printed(/DNS +127\.0\.0\.1:(\d+)/);
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${dnsPort}`]);
    expect(await resolver.resolve4('hello')).toEqual([clusterIp]);

    const [, victim = ''] = await stack.printed(/kill -9 (\d+)/);
    process.kill(Number(victim), 'SIGKILL');
    await stack.printed(/on the roll: hello-b, hello-c \|/);
    await stack.printed(/calls: [1-9]\d* answered, 0 failed/);
    const again = new Set<string>();
    for (let i = 0; i < 6; i++) again.add(await (await fetch(`http://127.0.0.1:${lb}/`)).text());
    expect([...again].toSorted()).toEqual(['hello from hello-b\n', 'hello from hello-c\n']);

    expect(await stack.stop('SIGINT')).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
    expect(stack.output).not.toMatch(/[1-9]\d* failed/);
  }, 60_000);

  test('killed itself, takes its processes with it', async () => {
    const { flags } = await portFlags();
    stack = startNode(main, ['dev', ...flags], { cwd: root });
    await stack.printed(/Ctrl-C ends everything/);
    const children = childrenOf(stack.pid);
    await stack.stop('SIGKILL');
    await until(() => children.every((pid) => !isAlive(pid)), { withinMs: 15_000 });
  }, 60_000);

  test('a port that is taken is named, with the way to choose another', async () => {
    const { flags } = await portFlags();
    const { createServer } = await import('node:net');
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(Number(flags[3]), '127.0.0.1', resolve));
    stack = startNode(main, ['dev', ...flags], { cwd: root });
    await until(() => stack?.hasExited);
    expect(stack.output).toContain(
      `port ${flags[3]} is taken; choose another one: npm start -- --lb-port PORT`,
    );
    expect(stack.child.exitCode).toBe(1);
    taken.close();
  });
});
