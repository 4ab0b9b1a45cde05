import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { freePort } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Backend } from '../testing/backend.ts';
import { DEPLOYMENT, NGINX } from '../testing/manifests.ts';
import { type Running, TestCli } from '../testing/test-cli.ts';

let cli: TestCli;
let backends: Backend[];

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.apply(`${NGINX.replace('- port', '- name: web\n      port')}---\n${DEPLOYMENT}`);
  backends = [await Backend.start('a'), await Backend.start('b')];
});
afterEach(async () => {
  await cli.close();
  for (const backend of backends) backend.close();
});

async function register(i: number, more: object = {}): Promise<void> {
  const name = ['a', 'b'][i] as string;
  await cli.register(`nginx/${name}`, backends[i]?.port as number, {
    address: '127.0.0.1',
    ...more,
  });
}

/** Starts forwarding; gives the local port and what it prints. */
async function forward(
  ...argv: string[]
): Promise<{ running: Running; port: number; title: string }> {
  const running = cli.start('port-forward', ...argv);
  const [, port, title = ''] = await running.printed(
    /Forwarding from 127\.0\.0\.1:(\d+) -> (.*)\n/,
  );
  return { running, port: Number(port), title };
}

/** Says something, ends its side, and gives everything that came back. */
async function say(port: number, words: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(words);
  const answer = await text(socket);
  return answer;
}

test('a service by number and by name, each connection to the next endpoint', async () => {
  await register(0);
  await register(1);
  const { running, port, title } = await forward('svc/nginx', ':8080');
  expect(title).toBe('80');
  const answers = [await say(port, 'x'), await say(port, 'y')];
  expect(answers.map((one) => one.slice(2))).toEqual(['Xend\n', 'Yend\n']);
  expect(new Set(answers.map((one) => one[0]))).toEqual(new Set(['a', 'b']));
  expect(running.out.match(new RegExp(`Handling connection for ${port}\n`, 'g'))).toHaveLength(2);
  const byName = await forward('service', 'nginx', ':web');
  expect(await say(byName.port, 'z')).toMatch(/^[ab]\nZend\n$/);
  expect(await running.stop()).toBe(0);
});

test('two connections at a time, and a side that has ended', async () => {
  await register(0);
  const { port } = await forward('svc/nginx', ':web');
  const one = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [hello] = (await once(one, 'data')) as [Buffer];
  expect(hello.toString()).toBe('a\n');
  expect(await say(port, 'second')).toBe('a\nSECONDend\n');
  one.end('first');
  expect(await text(one)).toBe('FIRSTend\n');
});

test('an instance and a deployment, a local port of one’s choice', async () => {
  await register(0, { labels: { run: 'hello' } });
  const local = await freePort();
  const instance = await forward('instance/nginx/a', `${local}:http`);
  expect(instance.port).toBe(local);
  expect(await say(local, 'x')).toBe('a\nXend\n');
  const deployment = await forward('deployment/hello-world', ':80');
  expect(deployment.title).toBe(String(backends[0]?.port));
  expect(await say(deployment.port, 'x')).toBe('a\nXend\n');
  const taken = await cli.run('port-forward', 'svc/nginx', `${local}:8080`);
  expect(taken.code).toBe(1);
  expect(taken.err).toMatch(
    new RegExp(`^error: unable to listen on 127.0.0.1:${local}: .*EADDRINUSE`),
  );
});

test('several ports; what comes and goes is followed', async () => {
  const running = cli.start('port-forward', 'svc/nginx', ':8080', ':web');
  await running.printed(/(Forwarding from .* -> 80\n){2}/);
  const [, port = ''] = /127\.0\.0\.1:(\d+)/.exec(running.out) ?? [];
  await expect(say(Number(port), 'x')).rejects.toThrow('ECONNRESET');
  expect(running.err).toBe(`error: an error occurred forwarding ${port} -> 80: nobody is ready\n`);
  await register(1);
  await expect.poll(() => say(Number(port), 'x').catch(() => '')).toBe('b\nXend\n');
});

test('an endpoint that refuses is left for the next; when all refuse, it is told', async () => {
  const closed = await freePort();
  await cli.register('nginx/dead', closed, { address: '127.0.0.1' });
  const { running, port } = await forward('svc/nginx', ':8080');
  await expect(say(port, 'x')).rejects.toThrow('ECONNRESET');
  expect(running.err).toMatch(
    new RegExp(
      `^error: an error occurred forwarding ${port} -> 80: 127.0.0.1:${closed}: .*ECONNREFUSED`,
    ),
  );
  await register(0);
  await expect.poll(() => say(port, 'x').catch(() => '')).toBe('a\nXend\n');
  expect(await say(port, 'y')).toBe('a\nYend\n');
});

test('it ends on a signal, connections or not, and listens no more', async () => {
  await register(0);
  const { running, port } = await forward('svc/nginx', ':8080');
  const open = connect({ port, host: '127.0.0.1' });
  await once(open, 'data');
  expect(await running.stop()).toBe(0);
  await expect(say(port, 'x')).rejects.toThrow('ECONNREFUSED');
  open.destroy();
});

test.each<[argv: string[], code: number, err: string]>([
  [['svc/nope', '8080:80'], 1, 'Error from server (NotFound): services "nope" not found\n'],
  [['svc/nginx', '8080:81'], 1, 'error: Service nginx does not have a service port 81\n'],
  [['svc/nginx'], 2, 'error: TYPE/NAME and list of ports are required for port-forward\n'],
  [['svc/nginx', 'x:80'], 2, 'error: expected LOCAL:REMOTE, PORT or :REMOTE, got "x:80"\n'],
  [
    ['ep/nginx', '80'],
    2,
    'error: cannot forward to a endpoints: expected a service, an instance or a deployment\n',
  ],
  [['deploy/hello-world', ':80'], 1, 'error: no instance of deployment hello-world is ready\n'],
])('%j', async (argv, code, err) => {
  expect(await cli.run('port-forward', ...argv)).toEqual({ code, out: '', err });
});
