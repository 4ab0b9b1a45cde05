import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A program that says who it is, listens after a while, and ends with 7 on SIGTERM after a last word. */
const PROGRAM = `
const { createServer } = require('node:net');
console.log('pid', process.pid, 'port', process.env.PORT, 'svc', process.env.NGINX_SERVICE_HOST, process.env.ROLLCALL_SERVICE);
const server = createServer((socket) => socket.end());
setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listens')), 300);
process.on('SIGTERM', () => { console.log('was told to end'); setTimeout(() => process.exit(7), 50); });
`;

let cli: TestCli;
let processes: TestProcess[];
let port: number;

beforeEach(async () => {
  cli = await TestCli.start();
  processes = [];
  port = await freePort();
});
afterEach(async () => {
  // Told politely, so that it ends its command too.
  await Promise.all(processes.map((one) => one.stop('SIGTERM')));
  await cli.close();
});

/** `rollcall run` as a process of its own. */
function start(...argv: string[]): TestProcess {
  const env = { ROLLCALL_URL: cli.url, PORT: undefined };
  const started = startNode(MAIN, ['run', ...argv], { env });
  processes.push(started);
  return started;
}

const NODE = ['--', process.execPath, '-e'];
const standard = () => ['--service=web', `--port=${port}:80`, '--id=a', '--label', 'tier=front'];
const stateOf = async (name: string) =>
  (await cli.run('get', 'instance', name, '-o', 'jsonpath={.status.state}')).out;

test('C18: registers, is up when its port answers, drains, ends, and carries the exit code', async () => {
  await cli.apply(NGINX);
  const address = await cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.spec.clusterIP}');
  const running = start(...standard(), ...NODE, PROGRAM);
  await running.printed(
    new RegExp(`pid \\d+ port ${port} svc ${address.replaceAll('.', '\\.')} web`),
  );
  expect(running.output).not.toContain('is up');
  await running.printed(/rollcall: web\/a is up/);
  expect(await cli.out('get', 'instances', '-l', 'tier=front', '-o', 'wide', '--no-headers')).toBe(
    `a   1/1   Running   20m   127.0.0.1   http=${port}/TCP   web   <none>\n`,
  );
  expect(running.output.indexOf('listens')).toBeLessThan(running.output.indexOf('is up'));
  expect(await running.stop('SIGTERM')).toBe(7);
  expect(running.output).toMatch(
    /rollcall: web\/a drains\n[^]*was told to end\n[^]*rollcall: web\/a is off the roll; its command ended with 7\n$/,
  );
  const reasons = await cli.out('events', '--for=svc/web');
  expect(reasons).toMatch(/Registered[^]*Draining[^]*Deregistered/);
});

test('is starting, and not ready, until its port answers', async () => {
  start(...standard(), ...NODE, `setInterval(() => {}, 1000)`);
  await until(async () => (await stateOf('web/a')) === 'starting');
  expect(await cli.out('get', 'ep', 'web', '--no-headers')).toContain('<none>');
});

test('a command that never listens is ended and told of', async () => {
  const running = start(
    ...standard(),
    '--start-timeout=300ms',
    ...NODE,
    `setInterval(() => {}, 1000)`,
  );
  await running.printed(
    new RegExp(`error: web/a did not listen on ${port} at 127\\.0\\.0\\.1 within 300 ms`),
  );
  await until(() => running.hasExited);
  expect(running.child.exitCode).toBe(1);
  expect(await stateOf('web/a')).toBe('');
});

test('what it waits for is said after a while', async () => {
  const running = start(...standard(), ...NODE, `setInterval(() => {}, 1000)`);
  await running.printed(
    new RegExp(`rollcall: waiting until port ${port} at 127\\.0\\.0\\.1 answers\n`),
  );
});

test('a command that ignores SIGTERM is killed after its grace', async () => {
  const program = PROGRAM.replace(/process\.on.*/, `process.on('SIGTERM', () => {});`);
  const running = start(...standard(), '--grace=200ms', '--drain=0', ...NODE, program);
  await running.printed(/is up/);
  expect(await running.stop('SIGTERM')).toBe(128 + 9);
});

test('a command that is killed is off the roll at once', async () => {
  const running = start(...standard(), '--ttl=60s', ...NODE, PROGRAM);
  const [, pid] = await running.printed(/pid (\d+)/);
  await running.printed(/is up/);
  const killedMs = performance.now();
  process.kill(Number(pid), 'SIGKILL');
  await until(async () => (await stateOf('web/a')) === '');
  expect(performance.now() - killedMs).toBeLessThan(2_000);
  await until(() => running.hasExited);
  expect(running.child.exitCode).toBe(137);
});

test('a command that ends by itself, before or after it listens', async () => {
  const early = start(...standard(), ...NODE, 'process.exit(3)');
  await until(() => early.hasExited);
  expect(early.child.exitCode).toBe(3);
  const program = `${PROGRAM}; setTimeout(() => process.exit(0), 1500)`;
  const late = start(...standard(), '--quiet', ...NODE, program);
  await until(() => late.hasExited);
  expect(late.child.exitCode).toBe(0);
  expect(late.output).not.toContain('rollcall:');
  expect(await stateOf('web/a')).toBe('');
});

test('a command that is not there: 127', async () => {
  const running = start(...standard(), '--', '/no/such/command');
  await until(() => running.hasExited);
  expect(running.child.exitCode).toBe(127);
  expect(running.output).toContain('error: /no/such/command: command not found');
});

test('without a registry the command runs, and ends as it is told', async () => {
  const running = start('--registry=http://127.0.0.1:1', ...standard(), ...NODE, PROGRAM);
  await running.printed(/the services are not known yet/);
  await running.printed(/listens/);
  expect(await running.stop('SIGTERM')).toBe(7);
});

test('without a registry the command may end by itself', async () => {
  const running = start('--registry=http://127.0.0.1:1', ...standard(), ...NODE, 'process.exit(5)');
  await until(() => running.hasExited);
  expect(running.child.exitCode).toBe(5);
});

test('several ports, names, zone and weight', async () => {
  const udp = await freePort();
  const more = [
    `--port=dns=${udp}/udp`,
    '--zone=z',
    '--weight=7',
    '--address=127.0.0.1',
    '--no-wait',
  ];
  start('--service=web', '--id=a', `--port=web=${port}:80`, ...more, ...NODE, PROGRAM);
  await until(async () => (await stateOf('web/a')) === 'up');
  const spec = JSON.parse(await cli.out('get', 'po', 'web/a', '-o', 'jsonpath={.spec}')) as object;
  expect(spec).toMatchObject({
    zone: 'z',
    weight: 7,
    ports: {
      web: { port, containerPort: 80, protocol: 'TCP' },
      dns: { port: udp, protocol: 'UDP' },
    },
  });
});

test.each<[argv: string[], err: RegExp]>([
  [['--port=80', '--', 'true'], /^error: --service: expected the name of the service\n$/],
  [['--service=web', '--', 'true'], /^error: --port: expected at least one port\n$/],
  [['--service=web', '--port=http', '--', 'true'], /^error: --port: expected \[NAME=\]PORT/],
  [['--service=web', '--port=80'], /^error: expected a command after --/],
  [
    ['--service=web', '--port=80', '--label=x', '--', 'true'],
    /^error: --label: expected KEY=VALUE, got "x"\n$/,
  ],
  [['--service=web', '--port=80', '--weight=x', '--', 'true'], /^error: .*weight/],
  [['--service=Web', '--port=80', '--', 'true'], /^error: .*service/],
])('%j is a wrong command line', async (argv, err) => {
  const ended = await cli.run('run', ...argv);
  expect(ended.err).toMatch(err);
  expect(ended.code).toBe(2);
});

test.runIf(process.platform === 'linux')(
  'needs little memory of its own, and keeps the pid that was started',
  async () => {
    const running = start(...standard(), ...NODE, PROGRAM);
    await running.printed(/is up/);
    const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
    const kib = Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1]);
    // 38 MB here, and 28 MB without stripping types; 58 MB and more without the flags.
    expect(readFileSync(`/proc/${running.child.pid}/cmdline`, 'utf8')).toContain('--liftoff-only');
    expect(kib).toBeLessThan(50_000);
  },
);
