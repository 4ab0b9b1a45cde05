import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  findRedisBinary,
  freePort,
  RedisProcess,
  startNode,
  TestProcess,
  until,
} from '@rollcall/testkit';
import { helpText } from '@rollcall/registry-server';
import { Stack } from './support/stack.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'packages/registry-server/src/main.ts');
let stack = new Stack();

afterEach(async () => {
  await stack.close();
  stack = new Stack();
});

async function ended(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<TestProcess> {
  const started = startNode(main, args, { env });
  await until(() => started.hasExited);
  return started;
}

describe('rollcall-registry', () => {
  test('--help lists every option, --version the version', async () => {
    const help = await ended(['--help']);
    expect(help.output).toBe(helpText());
    expect(help.output).toContain('--max-watches COUNT');
    expect((await ended(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('a wrong option ends it with code 2 and says which', async () => {
    const wrong = await ended(['--port', 'x'], { ROLLCALL_MAX_WATCHES: 'many' });
    expect(wrong.child.exitCode).toBe(2);
    expect(wrong.output).toContain('--port: expected a whole number, 0 to 65535, got "x"');
    expect(wrong.output).toContain('ROLLCALL_MAX_WATCHES: expected a whole number');
    const open = await ended(['--host', '0.0.0.0']);
    expect(open.output).toMatch(/expected --token or --token-file/);
  });

  test('a port that is taken ends it with code 1 and says which', async () => {
    const { port } = await stack.registry();
    const second = await ended(['--port', `${port}`]);
    expect(second.child.exitCode).toBe(1);
    expect(second.output).toContain(`cannot listen on 127.0.0.1:${port}: another program listens`);
  });

  test('on SIGTERM: not ready, streams told to move, exit 0, with instances holding on', async () => {
    const registry = await stack.registry(['--shutdown-ms', '1500']);
    const instance = await stack.hello('a', [registry.url]);
    // A reader that does not move: the server waits for it as long as it was told to.
    const watch = await fetch(`${registry.url}/v1/watch?service=hello`);
    const stopped = registry.process.stop('SIGTERM');
    await until(async () => (await fetch(`${registry.url}/readyz`)).status === 503);
    expect(await stopped).toBe(0);
    expect(await watch.text()).toContain('"moving":true');
    expect(instance.hasExited).toBe(false);
  });

  test('tells in its log that Redis is unreachable, and neither password nor token', async () => {
    const [port, own] = [await freePort(), await freePort()];
    const started = startNode(main, [
      '--port',
      `${own}`,
      '--store',
      `redis://user:sesame-password@127.0.0.1:${port}`,
      '--token',
      'sesame-token-0123456789',
    ]);
    await started.printed(/the store is unreachable.*writes are refused/);
    await started.printed(/"msg":"listening"/);
    await started.stop();
    expect(started.output).not.toContain('sesame');
  });

  test.runIf(process.platform === 'linux')(
    'with few file descriptors, callers do not take those that the store needs',
    async () => {
      const binary = await findRedisBinary();
      if (binary === undefined) throw new Error('no redis-server on this machine');
      const redis = await RedisProcess.start(binary, { isDurable: true });
      onTestFinished(() => redis.close());
      const port = await freePort();
      const words = [process.execPath, '--conditions=@rollcall/source', main];
      const flags = ['--port', `${port}`, '--store', redis.url];
      const command = 'ulimit -n 150; exec "$@"';
      const program = new TestProcess('bash', ['-c', command, 'bash', ...words, ...flags]);
      onTestFinished(async () => void (await program.stop()));
      await program.printed(/"msg":"listening"/);
      const agent = new Agent();
      const ask = (path: string) => {
        const url = `http://127.0.0.1:${port}${path}`;
        return request(url, { dispatcher: agent }).then(async ({ statusCode, body }) => {
          await body.dump();
          return statusCode;
        });
      };
      // One connection of ours stays, whoever else comes.
      await until(async () => (await ask('/readyz?for=writes')) === 200);
      const sockets = Array.from({ length: 300 }, () => connect(port, '127.0.0.1'));
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
        return agent.close();
      });
      for (const socket of sockets) socket.on('error', () => {});
      await program.printed(/connections are refused/);
      await until(() => sockets.some((socket) => socket.closed));
      await redis.down();
      await until(async () => (await ask('/readyz?for=writes')) === 503);
      await redis.up();
      await until(async () => (await ask('/readyz?for=writes')) === 200);
      expect(sockets.filter((socket) => !socket.closed).length).toBeGreaterThan(50);
      expect(program.output).not.toContain('EMFILE');
    },
  );
});
