import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';
import { SCRIPTS } from '../completion/scripts.ts';

// What people who know kubectl type by habit.

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await cli.apply(NGINX);
  await cli.register('nginx/a', 3001);
  await cli.register('loose/l', 3002);
});
afterAll(() => cli.close());

describe('a word that is misspelt', () => {
  test.each([
    [['gett', 'svc'], 'unknown command "gett" for "rollcall"', 'get'],
    [['help', 'descibe'], 'unknown command "descibe" for "rollcall"', 'describe'],
    [['get', 'serivces'], 'the server doesn\'t have a resource type "serivces"', 'services'],
    [['get', 'svc', '--slector=a'], "unknown option '--slector'", '--selector'],
  ])('%j: what it was meant to be', async (argv, what, meant) => {
    const { code, out, err } = await cli.run(...argv);
    expect(err).toBe(`error: ${what}\n\nDid you mean this?\n\t${meant}\n`);
    expect({ code: code > 0, out }).toEqual({ code: true, out: '' });
  });

  test.each(['logs', 'exec', 'rollout', 'config', 'cp', 'proxy', 'kustomize'])(
    '%s: what to do instead',
    async (name) => {
      const { code, err } = await cli.run(name, 'nginx');
      expect(err).toMatch(
        new RegExp(`^error: unknown command "${name}" for "rollcall": .{20,}\n$`),
      );
      expect(code).toBe(2);
    },
  );

  test('an address of something else: where it was given', async () => {
    const other = createHttpServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as { port: number }).port}`;
    const { code, err } = await cli.run('get', 'svc', '--registry', url);
    expect(err).toContain(`What answers at ${url} is no registry: its address is taken from`);
    expect(code).toBe(1);
    other.close();
  });

  test('an address that is no URL: where it was given', async () => {
    expect(await cli.run('get', 'svc', '--registry', '127.0.0.1:7400')).toEqual({
      code: 2,
      out: '',
      err: 'error: --registry: expected a URL such as http://127.0.0.1:7400, got "127.0.0.1:7400"\n',
    });
    const env = { ROLLCALL_URL: 'redis://me:secret@127.0.0.1' };
    const { err } = await cli.runWith({ env }, 'get', 'svc');
    expect(err).toMatch(
      /^error: ROLLCALL_URL: expected a URL such as http:\/\/127.0.0.1:7400, got /,
    );
    expect(err).not.toContain('secret');
  });
});

describe('what is typed without thinking', () => {
  test('cluster-info dump', async () => {
    expect((await cli.run('cluster-info', 'dump')).err).toMatch(
      /^error: cluster-info dump: .{20,}/,
    );
  });

  test('version --client', async () => {
    expect(await cli.out('version', '--client')).toBe('Client Version: v1.2.3\n');
  });

  test('get -f: the objects that a file names, each in its namespace', async () => {
    const other = serviceText('other', { ports: [{ port: 80 }] });
    const file = cli.file('two.yaml', `${NGINX}---\n${other}`);
    expect(await cli.run('get', '-f', file, '-o', 'name')).toEqual({
      code: 1,
      out: 'service/nginx\n',
      err: 'Error from server (NotFound): services "other" not found\n',
    });
    expect((await cli.run('get', 'svc', '-f', file)).code).toBe(2);
  });

  test('delete --dry-run deletes nothing', async () => {
    const dry = (...argv: string[]) => cli.out('delete', ...argv);
    expect(await dry('svc', 'nginx', '--dry-run=client')).toBe(
      'service "nginx" deleted (dry run)\n',
    );
    expect(await dry('svc', 'nginx', '--dry-run=server')).toBe(
      'service "nginx" deleted (server dry run)\n',
    );
    expect(await dry('instance', 'nginx/a', '--dry-run=server')).toBe(
      'instance "a" deleted (server dry run)\n',
    );
    expect(await cli.out('get', 'svc', 'nginx', '-o', 'name')).toBe('service/nginx\n');
    expect(await cli.out('get', 'instance', 'nginx/a', '-o', 'name')).toBe('instance/a\n');
  });

  test('cordon and uncordon say so', async () => {
    expect(await cli.out('cordon', 'nginx/a')).toBe('instance/a cordoned\n');
    expect(await cli.out('get', 'instance', 'nginx/a', '--no-headers')).toContain('Terminating');
    expect(await cli.out('uncordon', 'nginx/a')).toBe('instance/a uncordoned\n');
    expect(await cli.out('uncordon', 'nginx/a')).toBe('instance/a already uncordoned\n');
    expect(await cli.out('get', 'instance', 'nginx/a', '--no-headers')).toContain('Running');
  });

  test('port-forward INSTANCE', async () => {
    const server = createServer((socket) => socket.end('here\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await cli.register('tcp/tcp-1', port, { address: '127.0.0.1' });
    const forwarding = cli.start('port-forward', 'tcp-1', `:${port}`);
    const [, local = ''] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+)/);
    const reply = await promisify(execFile)(process.execPath, [
      '-e',
      `require('node:net').connect(${local}, '127.0.0.1').pipe(process.stdout)`,
    ]);
    expect(reply.stdout).toBe('here\n');
    expect(await forwarding.stop()).toBe(0);
    server.close();
  });

  test('an implicit service is there for all, but not declared', async () => {
    expect(await cli.out('get', 'svc', 'loose', '-o', 'name')).toBe('service/loose\n');
    for (const argv of [
      ['label', 'svc', 'loose', 'a=b'],
      ['patch', 'svc', 'loose', '-p', '{"metadata":{"labels":{"a":"b"}}}'],
      ['delete', 'svc', 'loose'],
    ]) {
      const { code, err } = await cli.run(...argv);
      expect(err).toBe(
        'Error from server (NotFound): services "loose" not found: it is not declared, it exists because instances registered under its name\n',
      );
      expect(code).toBe(1);
    }
  });
});

describe('explain TYPE', () => {
  test('the fields of a type, and those of a field', async () => {
    const text = await cli.out('explain', 'svc');
    expect(text).toMatch(/^KIND: {6}Service\nVERSION: {3}v1\n\nFIELDS:\n/);
    expect(text).toMatch(/^ {2}spec +<Object>$/m);
    const ports = await cli.out('explain', 'svc.spec.ports');
    expect(ports).toMatch(/^FIELD: +ports <\[\]Object>$/m);
    expect(ports).toMatch(/^ {2}targetPort +<IntOrString>$/m);
    expect(await cli.out('explain', 'deploy.spec.replicas')).toMatch(
      /^GROUP: +apps\n[^]*^FIELD: +replicas <integer>\n$/m,
    );
    expect(await cli.out('explain', 'service.spec.selector')).toContain('<map[string]string>');
  });

  test('a field that there is not', async () => {
    expect(await cli.run('explain', 'svc.spec.prots')).toEqual({
      code: 1,
      out: '',
      err: 'error: field "prots" does not exist\n\nDid you mean this?\n\tports\n',
    });
    expect((await cli.run('explain', 'svc.spec.constructor')).code).toBe(1);
    const { code, err } = await cli.run('explain', 'pods');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'error: the fields of instances are not described: rollcall get instances -o yaml shows them\n',
    });
  });
});

describe('expose as in kubectl', () => {
  test('-l sets labels, --selector the selector, --overrides any field', async () => {
    const argv = ['expose', 'svc', 'nginx', '--port=80', '--name=e1', '-l', 'a=b'];
    const more = ['--selector', 'x=y', '--overrides', '{"spec":{"type":"NodePort"}}'];
    await cli.out(...argv, ...more);
    const found = await cli.out('get', 'svc', 'e1', '-o', 'json');
    expect(JSON.parse(found)).toMatchObject({
      metadata: { labels: { a: 'b' } },
      spec: { type: 'NodePort', selector: { x: 'y' }, ports: [{ port: 80, targetPort: 80 }] },
    });
    for (const wrong of ['{', 'null', '[]', '"x"', '{"metadata":null}', '{"kind":null}']) {
      const { code, err } = await cli.run(...argv, '--overrides', wrong);
      expect({ code, err }).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^error: --overrides: expected .*\n$/),
      });
    }
  });

  test('-f names the object', async () => {
    const file = cli.file('nginx.yaml', NGINX);
    expect(await cli.out('expose', '-f', file, '--port=81', '--name=e2')).toBe(
      'service/e2 exposed\n',
    );
  });

  test('a headless service may be without ports, and a long name is cut', async () => {
    const long = 'a'.repeat(70);
    const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${long} }
spec:
  selector: { matchLabels: { app: long } }
  template: { metadata: { labels: { app: long } }, spec: { containers: [{ name: x, image: x }] } }
`;
    await cli.apply(deployment);
    expect(await cli.out('expose', 'deploy', long, '--cluster-ip=None')).toBe(
      `service/${'a'.repeat(63)} exposed\n`,
    );
    expect((await cli.run('expose', 'deploy', long, '--name=e3')).code).toBe(2);
  });
});

describe('completion', () => {
  const complete = async (...words: string[]) =>
    (await cli.out('__complete', ...words)).split('\n').filter((line) => line !== '');

  test.each<[words: string[], expected: string[]]>([
    [['desc'], ['describe']],
    [['help', 'port'], ['port-forward']],
    [['get', 'serv'], ['services']],
    [['get', 'svc', 'ng'], ['nginx']],
    [['get', 'svc', 'nginx', 'lo'], ['loose']],
    [['describe', 'svc/ng'], ['svc/nginx']],
    [['-n', 'shop', 'get', 'svc', ''], []],
    [['get', '-n', 'de'], ['default']],
    [['get', 'svc', '--show-l'], ['--show-labels']],
    [
      ['get', 'svc', '-o', 'js'],
      ['json', 'jsonpath='],
    ],
    [['get', 'svc', '--output=y'], ['--output=yaml']],
    [['apply', '-f', ''], [':files']],
    [['delete', 'svc', 'nginx', '--dry-run', 'se'], ['server']],
    [['drain', 'nginx'], ['nginx/a']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['run', '--service', 'x', '--', 'ls', ''], [':files']],
    [['nonsense', ''], []],
  ])('%j', async (words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  test('a name that a shell would run is left out', async () => {
    const list = { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '1' } };
    const names = ['x;touch pwn', '$(id)', 'a\nb', 'a b', '*', '`id`', "a'b", 'fine-1'];
    const items = names.map((name) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
    }));
    const impostor = createHttpServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...list, items }));
    }).listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const url = `http://127.0.0.1:${(impostor.address() as { port: number }).port}`;
    const { out } = await cli.run('__complete', '--registry', url, 'get', 'svc', '');
    expect(out).toBe('fine-1\n');
    impostor.close();
  });

  test('a registry that does not answer costs a second at most, and no message', async () => {
    const ended = await cli.run('__complete', '--registry', 'http://127.0.0.1:1', 'get', 'svc', '');
    expect(ended).toEqual({ code: 0, out: '', err: '' });
  });

  test('in a real bash', async () => {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    const script = `
rollcall() { "$NODE" --conditions=@rollcall/source "$MAIN" "$@"; }
${SCRIPTS.get('bash')?.replace('2>/dev/null))', '))') ?? ''}
for COMP_LINE in 'rollcall get svc ng' 'rollcall get svc --output=js' 'rollcall describe svc/ng'; do
  COMP_POINT=\${#COMP_LINE}
  _rollcall
  echo "\${COMPREPLY[*]}"
done
`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], {
      env: { ...process.env, NODE: process.execPath, MAIN: main, ROLLCALL_URL: cli.url },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('nginx\njson jsonpath=\nsvc/nginx\n');
  });

  test.each([...SCRIPTS.keys()])('for %s, and no other', async (shell) => {
    expect(await cli.out('completion', shell)).toContain('rollcall __complete');
    expect((await cli.run('completion', `${shell}x`)).code).toBe(2);
  });
});
