import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  findRedisBinary,
  freePort,
  RedisProcess,
  startNode,
  TestProcess,
  until,
} from '@rollcall/testkit';
import { type RegistryProcess, Stack } from './support/stack.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');

/** The fenced blocks of a language in a document, in order. */
function blocksOf(name: string, language: string): string[] {
  return [...read(name).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, body]) => body as string,
  );
}

const holding = (blocks: readonly string[], text: string) => {
  const block = blocks.find((one) => one.includes(text));
  if (block === undefined) throw new Error(`no example with ${text}`);
  return block;
};

let stack: Stack;
let registry: RegistryProcess;
beforeEach(async () => {
  stack = new Stack();
  registry = await stack.registry();
});
afterEach(() => stack.close());

/** Runs a TypeScript block as a reader would, in the folder of the project, against this test's registry. */
async function program(block: string): Promise<TestProcess> {
  const file = join(root, `example-${process.pid}.ts`);
  writeFileSync(file, block.replaceAll('127.0.0.1:7400', `127.0.0.1:${registry.port}`));
  try {
    const child = startNode(file, [], { cwd: root });
    await until(() => child.hasExited, { withinMs: 60_000 });
    return child;
  } finally {
    rmSync(file);
  }
}

/** Runs a shell block as a reader would, against this test's registry. */
async function shell(block: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = block.replaceAll('127.0.0.1:7400', `127.0.0.1:${registry.port}`);
  const child = new TestProcess('bash', ['-c', script], { cwd: root, env });
  await until(() => child.hasExited, { withinMs: 60_000 });
  return child.output;
}

/** Scripts of the project -> the packages whose programs they start. */
const MAINS: Readonly<Record<string, string>> = {
  registry: 'registry-server',
  lb: 'lb',
  'node-proxy': 'node-proxy',
  dns: 'dns-server',
  rollcall: 'cli',
};

describe('README', () => {
  test('the SDK example runs, and leaves nothing on the roll', async () => {
    const [block = ''] = blocksOf('README.md', 'ts');
    const port = await freePort();
    const { child, output } = await program(block.replaceAll('3000', `${port}`));
    expect(output).toBe('200 an order\nan order\n');
    expect(child.exitCode).toBe(0);
    const left = await fetch(`${registry.url}/v1/namespaces/default/services/orders/endpoints`);
    expect(left.ok).toBe(false);
  });

  test('the curl lines register, heartbeat, watch and deregister', async () => {
    const output = await shell(holding(blocksOf('README.md', 'sh'), 'payments'));
    expect(output).toMatch(/event: snapshot\ndata: .*"id":"p1\/http".*"state":"up"/);
    expect(output).toMatch(/event: bookmark/);
    expect(output).toMatch(/\{"revision":"\d+"\}$/);
    const { events } = (await (
      await fetch(`${registry.url}/v1/events?service=payments`)
    ).json()) as {
      events: { kind: string }[];
    };
    expect(events.map(({ kind }) => kind)).toEqual(['registered', 'deregistered']);
  });

  test('the commands of the chapter on services show the declared service, and its address answers', async () => {
    // Other tests of this machine have the addresses of the default.
    const own = await stack.registry(['--service-cidr', '127.87.0.0/16', '--warm-up-ms', '0']);
    await stack.planes(own.url);
    await stack.hello('hello-a', [own.url]);
    const body = read('packages/rollcall/dev/hello.yaml');
    await stack.client([own.url]).call('apply', { body });
    const block = holding(blocksOf('README.md', 'sh'), 'describe svc hello');
    const output = await shell(block, { ROLLCALL_URL: own.url });
    expect(output).toContain('hello from hello-a');
    expect(output).toMatch(/^hello +NodePort +127\.87\.\d+\.\d+ +<none> +8080:\d+\/TCP/m);
    expect(output).toMatch(/^Endpoints: +127\.0\.0\.1:\d+$/m);
  }, 180_000);

  test('the parts run alone, from the commands as they stand', async () => {
    const lines = holding(blocksOf('README.md', 'sh'), 'npm run lb').trim().split('\n');
    const checked = lines.filter((line) => line.includes('--check'));
    expect(checked).toHaveLength(1);
    for (const line of lines) {
      const [, script = '', rest = ''] =
        /^npm run (?:--silent )?([a-z-]+) -- (.*)$/.exec(line) ?? [];
      const main = join(root, 'packages', MAINS[script] ?? '', 'src/main.ts');
      const env = { LB_PORT: `${await freePort()}`, LB_ADMIN_PORT: `${await freePort()}` };
      const isPlane = script === 'node-proxy' || script === 'dns';
      const args = [
        ...rest.replace(/--port \d+/, `--port ${await freePort()}`).split(' '),
        ...(isPlane ? ['--metrics', 'off'] : []),
      ].map((arg) => arg.replace('127.0.0.1:7400', `127.0.0.1:${registry.port}`));
      const child = startNode(main, args, { cwd: root, env });
      if (line.includes('--check')) {
        await child.printed(/: ok\n/);
        await until(() => child.hasExited);
        expect(child.child.exitCode).toBe(0);
      } else if (rest === '--help') {
        await child.printed(/Commands:/);
      } else {
        await child.printed(/listening/);
        expect(await child.stop('SIGTERM')).toBe(0);
      }
    }
  }, 180_000);

  test('its commands are scripts of the project, and its files are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [
      ...read('README.md').matchAll(
        /npm (?:run (?:--silent )?)?(start|test|(?<=run |silent )[a-z-]+)\b/g,
      ),
    ].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(scripts, name).toHaveProperty(name as string);
    for (const doc of [
      'README.md',
      'CONTRIBUTING.md',
      'docs/operating.md',
      'docs/architecture.md',
      'docs/kubernetes-services.md',
      'docs/dns.md',
      'docs/cli.md',
      'docs/connections.md',
      'docs/README.md',
      'examples/compose-app/README.md',
    ]) {
      const folder = dirname(doc);
      for (const [, link = ''] of read(doc).matchAll(/\]\((?!http)([^)#]+)\)/g)) {
        expect(() =>
          readFileSync(
            join(root, folder, link, link.endsWith('.md') || link.includes('.') ? '' : 'README.md'),
          ),
        ).not.toThrow();
      }
    }
  });
});

describe('docs/connections.md', () => {
  const blocks = blocksOf('docs/connections.md', 'ts');

  test('a protocol of its own: an instance that cannot be connected to is left out', async () => {
    const client = stack.client([registry.url]);
    await client.register({ service: 'echo', ports: { tcp: await freePort() } });
    const { child, output } = await program(holding(blocks, 'connectTo'));
    expect(output).toBe('hello 1\n0\n');
    expect(child.exitCode).toBe(0);
  });

  test('a driver: a query goes to the instance that is there', async () => {
    const { hostname, port } = new URL(inject('redisUrl'));
    const client = stack.client([registry.url]);
    await client.register({ service: 'cache', port: await freePort() });
    await client.register({ service: 'cache', address: hostname, port: Number(port) });
    const { child, output } = await program(holding(blocks, 'ioredis'));
    expect(output).toBe('PONG\n');
    expect(child.exitCode).toBe(0);
  });
});

describe('docs/operating.md', () => {
  test('two servers on one Redis', async () => {
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    const redis = await RedisProcess.start(binary);
    const lines = holding(blocksOf('docs/operating.md', 'sh'), '7401').trim().split('\n');
    expect(lines).toHaveLength(2);
    const urls: string[] = [];
    for (const line of lines) {
      const flags = (line.split(' -- ')[1] ?? '').split(' ').map((flag) => {
        return flag.startsWith('redis://') ? redis.url : flag;
      });
      const port = await freePort();
      flags[flags.indexOf('--port') + 1] = `${port}`;
      urls.push((await stack.registry(flags, port)).url);
    }
    await stack.hello('one', [urls[0] as string]);
    await until(
      async () => (await fetch(`${urls[1]}/v1/namespaces/default/services/hello/endpoints`)).ok,
    );
    await stack.close();
    await redis.close();
  });

  test('an override set and lifted, a persistent instance registered', async () => {
    const blocks = blocksOf('docs/operating.md', 'sh');
    const put = `curl -s -X PUT http://127.0.0.1:7400/v1/namespaces/default/services/orders/instances/o1 --json '{"ports":{"http":1}}'`;
    expect(await shell(`${put}\n${holding(blocks, 'override')}`)).toMatch(
      /"status":"draining","author":"ann","reason":"disk is failing","untilMs":\d+\}\{"revision"/,
    );
    expect(await shell(holding(blocks, 'persistent'))).toMatch(/"lease":null/);
  });
});
