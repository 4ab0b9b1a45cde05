import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
});
afterEach(() => cli.close());

const BAD = NGINX.replace('targetPort', 'type: clusterIP\n      targetPort').replace(
  'nginx',
  'bad',
);

describe('create -f', () => {
  test('a file of several documents; again, they are there', async () => {
    const file = cli.file('svc.yaml', `${NGINX}---\n${NGINX.replace('name: nginx', 'name: two')}`);
    expect(await cli.run('create', '-f', file)).toEqual({
      code: 0,
      out: 'service/nginx created\nservice/two created\n',
      err: '',
    });
    const exists = (name: string) =>
      `Error from server (AlreadyExists): error when creating "svc.yaml": services "${name}" already exists\n`;
    expect(await cli.run('create', '-f', file)).toEqual({
      code: 1,
      out: '',
      err: exists('nginx') + exists('two'),
    });
  });

  test('one bad document of three: none is created, unless asked', async () => {
    const wrong = serviceText('two', { type: 'clusterIP', ports: [{ port: 80 }] });
    const last = NGINX.replace('name: nginx', 'name: three');
    const file = cli.file('three.yaml', `${NGINX}---\n${wrong}---\n${last}`);
    const { code, out, err } = await cli.run('create', '-f', file);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(
      `The Service "two" is invalid: spec.type: Unsupported value: "clusterIP": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"
    at three.yaml:14:78
    fix: type: ClusterIP
`,
    );
    expect(await cli.out('get', 'svc', '-o', 'name')).toBe('service/rollcall\n');
    const partly = await cli.run('create', '-f', file, '--partial');
    expect(partly).toMatchObject({
      code: 1,
      out: 'service/nginx created\nservice/three created\n',
    });
    expect(partly.err).toContain('The Service "two" is invalid');
  });

  test('a folder, in the order of its names; folders within it when asked', async () => {
    cli.file('all/b.yaml', NGINX.replace('name: nginx', 'name: b'));
    cli.file('all/a.json', serviceText('a', { ports: [{ port: 80 }] }));
    cli.file('all/notes.txt', 'not a manifest');
    cli.file('all/deep/c.yml', BAD);
    const folder = `${cli.folder}/all`;
    expect(await cli.out('create', '-f', folder)).toBe('service/a created\nservice/b created\n');
    const { err } = await cli.run('create', '-R', '-f', `${folder}/deep`);
    expect(err).toContain('at all/deep/c.yml:12:13');
  });

  test('standard input, several files', async () => {
    const file = cli.file('two.yaml', NGINX.replace('name: nginx', 'name: two'));
    const { out } = await cli.runWith({ stdin: NGINX }, 'create', '-f', '-', '-f', file);
    expect(out).toBe('service/nginx created\nservice/two created\n');
    const { err } = await cli.runWith({ stdin: BAD }, 'create', '-f', '-');
    expect(err).toContain('at STDIN:12:13');
    const bad = ['a.yaml', 'b.yaml'].map((name) => ['-f', cli.file(name, BAD)]).flat();
    const both = await cli.runWith({ stdin: NGINX }, 'create', '-f', '-', ...bad);
    expect(both.err).toContain('at a.yaml:12:13');
    expect(both.err).toContain('at b.yaml:12:13');
  });

  test('into another namespace, unless the file names one', async () => {
    const own = NGINX.replace('name: nginx', 'name: own\n  namespace: other');
    const file = cli.file('svc.yaml', `${NGINX}---\n${own}`);
    await cli.out('create', '-f', file, '-n', 'shop');
    expect(await cli.out('get', 'svc', '-A', '-l', 'app=nginx', '--no-headers')).toMatch(
      /^other +own [^]*\nshop +nginx /,
    );
  });

  test.each<[argv: string[], code: number, err: string]>([
    [['create', '-f', '/no/such.yaml'], 1, 'error: the path "/no/such.yaml" does not exist\n'],
    [
      ['create'],
      2,
      'error: create: expected -f FILE, service TYPE NAME, ingress NAME, deployment NAME or secret tls NAME\n',
    ],
    [['apply'], 2, 'error: must specify one of -f: a file, a folder or -\n'],
    [
      ['create', 'pod'],
      2,
      'error: create: expected -f FILE, service TYPE NAME, ingress NAME, deployment NAME or secret tls NAME, got "pod"\n',
    ],
  ])('%j', async (argv, code, err) => {
    expect(await cli.run(...argv)).toEqual({ code, out: '', err });
  });

  test('a file without objects', async () => {
    const file = cli.file('empty.yaml', '# nothing\n---\n');
    for (const verb of ['create', 'apply', 'replace']) {
      const { code, err } = await cli.run(verb, '-f', file);
      expect({ code, err }).toEqual({ code: 1, err: `error: no objects passed to ${verb}\n` });
    }
  });
});

describe('create service', () => {
  const typed = (name: string) => cli.out('get', 'svc', name, '--no-headers');

  test('each type', async () => {
    const create = (...argv: string[]) => cli.out('create', 'service', ...argv);
    expect(await create('clusterip', 'a', '--tcp=8080:80')).toBe('service/a created\n');
    expect(await typed('a')).toMatch(
      /^a {3}ClusterIP {3}127\.96\.1\.\d {3}<none> {3}8080\/TCP {3}20m\n$/,
    );
    await create('clusterip', 'b', '--clusterip=None');
    expect(await typed('b')).toBe('b   ClusterIP   None   <none>   <none>   20m\n');
    await create('nodeport', 'c', '--tcp=80:http', '--node-port=30007');
    expect(await typed('c')).toContain('80:30007/TCP');
    await create('loadbalancer', 'd', '--tcp=80');
    expect(await typed('d')).toContain('<pending>');
    await create('externalname', 'e', '--external-name=db.example.com');
    expect(await typed('e')).toBe('e   ExternalName   <none>   db.example.com   <none>   20m\n');
    const path = 'jsonpath={.spec.ports[0].name} {.spec.ports[0].targetPort} {.spec.selector.app}';
    expect(await cli.out('get', 'svc', 'c', '-o', path)).toBe('80-http http c');
  });

  test('shown and not created', async () => {
    const argv = ['create', 'svc', 'nodeport', 'web', '--tcp=80', '--dry-run=client'];
    expect(await cli.out(...argv, '-o', 'yaml')).toBe(
      `apiVersion: v1
kind: Service
metadata:
  labels:
    app: web
  name: web
spec:
  ports:
  - name: "80"
    port: 80
    protocol: TCP
    targetPort: 80
  selector:
    app: web
  type: NodePort
status:
  loadBalancer: {}
`,
    );
    expect(await cli.out(...argv)).toBe('service/web created (dry run)\n');
    expect((await cli.run('get', 'svc', 'web')).code).toBe(1);
  });

  test.each<[argv: string[], err: RegExp]>([
    [['clusterip', 'x'], /^error: at least one tcp port specifier must be provided/],
    [['externalname', 'x'], /^error: required flag\(s\) "external-name" not set/],
    [
      ['clusterip', 'x', '--tcp=http'],
      /^error: --tcp: expected a whole number from 1 to 65535, got "http"/,
    ],
    [['nodeport', 'x', '--tcp=80', '--clusterip=None'], /^error: ClusterIP=None can only be used/],
    [['externalname', 'x', '--external-name=@x'], /^error: invalid service external name @x\n$/],
    [
      ['clusterip', 'x', '--tcp=80:-a'],
      /^error: --tcp: expected PORT:TARGETPORT .*, got "80:-a"\n$/,
    ],
    [['clusterip', 'x', '--tcp=80:0'], /^error: --tcp: expected a whole number from 1 to 65535/],
    [['clusterip', 'x', '--tcp=80', '-o', 'wide'], /^error: unable to match a printer suitable/],
    [['clusterip'], /^error: exactly one NAME is required, got 0/],
    [['foo', 'x'], /expected clusterip, nodeport, loadbalancer or externalname, got "foo"/],
  ])('%j is a wrong command line', async (argv, err) => {
    const ended = await cli.run('create', 'service', ...argv);
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(err);
  });

  test('what the registry refuses', async () => {
    const { code, err } = await cli.run(
      'create',
      'service',
      'nodeport',
      'x',
      '--tcp=80',
      '--node-port=80',
    );
    expect(code).toBe(1);
    expect(err).toMatch(
      /^The Service "x" is invalid: spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range\. The range of valid ports is 30000-32767\n {4}fix: choose one/,
    );
  });
});

test('create deployment has a container for each image, named after it', async () => {
  const images = ['registry.example:5000/team/Nginx.Web:1.27', 'side@sha256:00'];
  const argv = images.flatMap((image) => ['--image', image]);
  const path = '{.spec.template.spec.containers[*].name}|{.spec.template.spec.containers[*].image}';
  expect(
    await cli.out(
      'create',
      'deployment',
      'web',
      ...argv,
      '--dry-run=client',
      '-o',
      `jsonpath=${path}`,
    ),
  ).toBe(`nginx-web side|${images.join(' ')}`);
});

test('create deployment and namespace', async () => {
  const { out, err } = await cli.run(
    'create',
    'deployment',
    'web',
    '--image=nginx',
    '--replicas=3',
    '--port=80',
  );
  expect(out).toBe('deployment.apps/web created\n');
  expect(err).toMatch(/^Warning: a Deployment starts nothing here/);
  expect(await cli.out('get', 'deploy', 'web', '--no-headers')).toBe('web   0/3   0   0   20m\n');
  expect(await cli.out('expose', 'deploy', 'web')).toBe('service/web exposed\n');
  const made = await cli.run('create', 'namespace', 'shop');
  expect(made.code).toBe(0);
  expect(made.err).toMatch(/^namespace\/shop does not have to be created/);
});

test.each([
  ['create service clusterip a --tcp=80', 'service/a'],
  ['create service externalname b --external-name=b.example', 'service/b'],
  ['create deployment c --image=nginx', 'deployment.apps/c'],
])(
  'what the dry run of %s shows is created in the namespace that was named',
  async (line, name) => {
    const argv = [...line.split(' '), '-n', 'prod', '--dry-run=client'];
    for (const format of ['yaml', 'json']) {
      const stdin = await cli.out(...argv, '-o', format);
      const { out } = await cli.runWith({ stdin }, 'apply', '-f', '-');
      expect(out).toBe(`${name} created\n`);
      const [type = '', own = ''] = name.split('/');
      expect(await cli.out('get', type, '-n', 'prod', '-o', 'name')).toContain(`${name}\n`);
      expect((await cli.run('get', type, own)).code).toBe(1);
      await cli.out('delete', type, own, '-n', 'prod');
    }
    // Where none is named, the file is for whichever namespace it is applied in.
    const env = { ROLLCALL_NAMESPACE: 'prod' };
    const rest = [...line.split(' '), '--dry-run=client', '-o', 'yaml'];
    expect((await cli.runWith({ env }, ...rest)).out).not.toContain('namespace');
  },
);

test('the dry run of a file shows the namespace and what the file says of labels and notes', async () => {
  const metadata = { labels: { app: 'x' }, annotations: { note: 'kept' } };
  const path = cli.file('x.json', serviceText('x', { ports: [{ port: 80 }] }, metadata));
  for (const verb of ['create', 'apply']) {
    const argv = [verb, '-f', path, '-n', 'prod', '--dry-run=client', '-o', 'yaml'];
    const shown = await cli.out(...argv);
    expect(parse(shown)).toMatchObject({
      metadata: { namespace: 'prod', labels: { app: 'x' }, annotations: { note: 'kept' } },
    });
    expect((await cli.runWith({ stdin: shown }, 'apply', '-f', '-')).code).toBe(0);
    await cli.out('delete', 'svc', 'x', '-n', 'prod');
  }
});

test('a dry run of the client asks nobody, so that it may be applied again and again', async () => {
  const argv = ['create', 'service', 'clusterip', 'again', '--tcp=80', '--dry-run=client'];
  for (const word of ['created', 'unchanged']) {
    const stdin = await cli.out(...argv, '-o', 'yaml');
    const { out } = await cli.runWith({ stdin }, 'apply', '-f', '-');
    expect(out).toBe(`service/again ${word}\n`);
  }
  const alone = await cli.run(...argv, '--registry', 'http://127.0.0.1:1');
  expect(alone).toEqual({ code: 0, out: 'service/again created (dry run)\n', err: '' });
});
