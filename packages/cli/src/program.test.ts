import { fileURLToPath } from 'node:url';
import { freePort, startNode, until } from '@rollcall/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCommands, COMMAND_NAMES } from './commands/all.ts';
import { TestCli } from './testing/test-cli.ts';

const COMMANDS = await allCommands();
let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
});
afterAll(() => cli.close());

describe('help', () => {
  test('each command is found by its own name', () => {
    expect(COMMANDS.map(({ name }) => name)).toEqual(COMMAND_NAMES);
  });

  test('of the program: every command, and what its exit codes mean', async () => {
    const text = await cli.out('--help');
    for (const { name, summary } of COMMANDS)
      expect(text).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    expect(text).toContain('Exit codes: 0 done, 1 refused or failed');
    expect(await cli.out()).toBe(text);
    expect(await cli.out('help')).toBe(text);
    expect(await cli.out('-h')).toBe(text);
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s: usage, options, examples',
    async (name, { usage, options, examples }) => {
      const text = await cli.out(name, '--help');
      expect(text).toContain(`\n  rollcall ${usage}\n`);
      for (const [option, { help }] of Object.entries(options)) {
        expect(text).toContain(`--${option}`);
        expect(text).toContain(help);
      }
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(text).toContain(`\n  rollcall ${example}`);
      expect(await cli.out('help', name)).toBe(text);
    },
  );
});

describe('a wrong command line ends with 2', () => {
  test.each<[argv: string[], err: RegExp]>([
    [['foo'], /^error: unknown command "foo" for "rollcall" \(--help lists them\)\n$/],
    [['help', 'foo'], /^error: unknown command "foo"/],
    [['get'], /^error: you must specify the type of resource to get: services, endpoints/],
    [['get', 'svc', '--foo'], /^error: unknown option '--foo' \(--help shows the options\)\n$/],
    [['get', 'svc', '-o'], /^error: option '-o, --output <value>' argument missing/],
    [['get', 'svc/a', 'b'], /^error: there is no need to specify a resource type/],
    [['get', 'svc', '--registry', 'nonsense'], /^error: /],
    [['get', 'svc', '-n', 'Not_A_Namespace'], /^error: /],
    // Names that every object inherits are no values either.
    [['env', '-o', 'toString'], /^error: --output: expected dotenv, shell or json, got "toString"/],
    [['create', 'constructor'], /^error: create: expected .*, got "constructor"\n$/],
    [['create', 'service', 'valueOf', 'a'], /^error: create service: expected .*, got "valueOf"/],
  ])('%j', async (argv, err) => {
    const ended = await cli.run(...argv);
    expect(ended.err).toMatch(err);
    expect({ code: ended.code, out: ended.out }).toEqual({ code: 2, out: '' });
  });
});

test('a type that is not known', async () => {
  expect(await cli.run('get', 'foos')).toEqual({
    code: 1,
    out: '',
    err: 'error: the server doesn\'t have a resource type "foos"\n',
  });
});

test('options of every command may stand before it', async () => {
  const { out } = await cli.runWith(
    { env: { ROLLCALL_URL: '' } },
    '--registry',
    cli.url,
    '-n',
    'default',
    'get',
    'ns',
  );
  expect(out).toContain('default   Active');
  const named = await cli.runWith({ env: { ROLLCALL_NAMESPACE: 'shop' } }, 'get', 'svc');
  expect(named.err).toBe('No resources found in shop namespace.\n');
});

test('a registry that is not running is told of, with where its address is from', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const argv of [
    ['get', 'svc'],
    ['apply', '-f', '-'],
    ['port-forward', 'svc/a', ':80'],
    ['env'],
  ]) {
    const { code, err } = await cli.runWith(
      { stdin: 'kind: Service\n', env: { ROLLCALL_URL: url } },
      ...argv,
    );
    expect(err).toContain(
      `The connection to the registry ${url} was refused or did not answer: is the registry running? Its address is taken from --registry or ROLLCALL_URL, else http://127.0.0.1:7400\n`,
    );
    expect(code).toBe(1);
  }
});

test('of several registries the one that answers is asked', async () => {
  const down = `http://127.0.0.1:${await freePort()}`;
  expect(await cli.out('get', 'ns', '--registry', `${down},${cli.url}`)).toContain('default');
});

test('tokens: none, a wrong one, one that covers too little, the right one', async () => {
  const [admin, reader] = ['admin-token-0123456789', 'reader-token-0123456789'];
  const guarded = await TestCli.start(`--token=${admin}`, `--token=${reader}=read`);
  const none = await guarded.run('get', 'svc');
  expect(none.code).toBe(1);
  expect(none.err).toMatch(/^Error from server \(Unauthorized\): /);
  const wrong = await guarded.run('get', 'svc', '--token=wrong-token-0123456789');
  expect(wrong.err).toMatch(/^Error from server \(Unauthorized\): /);
  expect(wrong.err).not.toContain('wrong-token');
  const env = { ROLLCALL_TOKEN: admin };
  expect((await guarded.runWith({ env }, 'get', 'svc')).code).toBe(0);
  const little = await guarded.run('delete', 'svc', 'rollcall', `--token=${reader}`);
  expect(little.err).toMatch(/^Error from server \(Forbidden\): /);
  expect((await guarded.runWith({ env }, 'delete', 'svc', 'rollcall')).code).toBe(0);
  await guarded.close();
});

test('a token from a file', async () => {
  const admin = 'admin-token-0123456789';
  const guarded = await TestCli.start(`--token=${admin}`);
  const file = guarded.file('token', `${admin}\n`);
  expect((await guarded.run('get', 'svc', '--token-file', file)).code).toBe(0);
  const env = { ROLLCALL_TOKEN_FILE: file };
  expect((await guarded.runWith({ env }, 'get', 'svc')).code).toBe(0);
  const missing = await guarded.run('get', 'svc', '--token-file', `${file}x`);
  expect(missing).toMatchObject({ code: 2, out: '' });
  expect(missing.err).toContain('--token-file: expected a file with a token: ENOENT');
  const empty = await guarded.run('get', 'svc', '--token-file', guarded.file('empty', '\n'));
  expect(empty.err).toContain('it has no line, or several');
  const both = await guarded.run('get', 'svc', '--token', admin, '--token-file', file);
  expect(both.err).toBe('error: --token and --token-file: expected at most one\n');
  await guarded.close();
});

test('colours are for terminals alone', async () => {
  const shown = await cli.runWith({ isTerminal: true }, 'get', 'svc', 'nope');
  const failed = await cli.runWith({ isTerminal: true }, 'foo');
  expect(failed.err).toContain('\u001b[31merror\u001b[0m: unknown command');
  expect((await cli.run('foo')).err).not.toContain('\u001b');
  expect(shown.out + (await cli.runWith({ isTerminal: true }, 'get', 'svc')).out).not.toContain(
    '\u001b',
  );
});

test('about itself and the registry', async () => {
  expect(await cli.out('version')).toBe('Client Version: v1.2.3\n');
  expect(await cli.out('cluster-info')).toBe(
    'Rollcall registry is running at http://127.0.0.1:PPPPP\n1 services, 1 instances in all namespaces\n',
  );
  expect(await cli.out('api-versions')).toBe(
    'apps/v1\ndiscovery.k8s.io/v1\ngateway.networking.k8s.io/v1\nnetworking.k8s.io/v1\nrollcall.dev/v1\nv1\n',
  );
  expect(await cli.out('api-resources')).toBe(
    `NAME             SHORTNAMES       APIVERSION                     NAMESPACED   KIND
services         svc              v1                             true         Service
endpoints        ep               v1                             true         Endpoints
endpointslices                    discovery.k8s.io/v1            true         EndpointSlice
instances        in,pods,pod,po   rollcall.dev/v1                true         Instance
ingresses        ing              networking.k8s.io/v1           true         Ingress
ingressclasses                    networking.k8s.io/v1           false        IngressClass
secrets                           v1                             true         Secret
httproutes                        gateway.networking.k8s.io/v1   true         HTTPRoute
deployments      deploy           apps/v1                        true         Deployment
namespaces       ns               v1                             false        Namespace
events           ev               v1                             true         Event
`,
  );
});

test('the program itself: its output, its exit code, no colours into a pipe', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const env = { ROLLCALL_URL: cli.url };
  const good = startNode(main, ['get', 'ns'], { env });
  await until(() => good.hasExited);
  expect({ code: good.child.exitCode, output: good.output }).toEqual({
    code: 0,
    output: 'NAME      STATUS   AGE\ndefault   Active   0s\n'.replace(
      '0s',
      /Active +(\d+s)/.exec(good.output)?.[1] ?? '',
    ),
  });
  const bad = startNode(main, ['get', 'svc', 'nope'], { env });
  await until(() => bad.hasExited);
  expect(bad.child.exitCode).toBe(1);
  expect(bad.output).toBe('Error from server (NotFound): services "nope" not found\n');
});
