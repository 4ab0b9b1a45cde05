import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEPLOYMENT, NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start('--allow-external-ip=198.51.100.0/24');
  await cli.apply(`${NGINX}---\n${DEPLOYMENT}`);
});
afterEach(() => cli.close());

const spec = async (name: string) =>
  JSON.parse(await cli.out('get', 'svc', name, '-o', 'jsonpath={.spec}')) as object;

describe('expose', () => {
  test('a deployment, by the ports of its containers', async () => {
    expect(
      await cli.out(
        'expose',
        'deployment',
        'hello-world',
        '--type=LoadBalancer',
        '--name=my-service',
      ),
    ).toBe('service/my-service exposed\n');
    expect(await spec('my-service')).toMatchObject({
      type: 'LoadBalancer',
      selector: { run: 'hello' },
      ports: [{ port: 8080, targetPort: 8080, protocol: 'TCP' }],
    });
  });

  test('a deployment, with what options say', async () => {
    const options = [
      '--port=80',
      '--target-port=http',
      '--protocol=UDP',
      '--session-affinity=ClientIP',
    ];
    const addresses = [
      '--cluster-ip=127.96.9.1',
      '--external-ip=198.51.100.1',
      '--selector',
      'a=b',
    ];
    expect(await cli.out('expose', 'deploy/hello-world', ...options, ...addresses)).toBe(
      'service/hello-world exposed\n',
    );
    expect(await spec('hello-world')).toMatchObject({
      clusterIP: '127.96.9.1',
      externalIPs: ['198.51.100.1'],
      selector: { a: 'b' },
      sessionAffinity: 'ClientIP',
      ports: [{ port: 80, targetPort: 'http', protocol: 'UDP' }],
    });
  });

  test('an instance and a service', async () => {
    await cli.register('web/a', 8080, { labels: { tier: 'front' } });
    await cli.out('expose', 'instance', 'web/a', '--name=front');
    expect(await spec('front')).toMatchObject({
      selector: { app: 'web', tier: 'front' },
      ports: [{ port: 80 }],
    });
    await cli.out('expose', 'svc', 'nginx', '--port=443,80', '--target-port=8443', '--name=tls');
    expect(await spec('tls')).toMatchObject({
      selector: { app: 'nginx' },
      ports: [
        { name: 'port-1', port: 443, targetPort: 8443 },
        { name: 'port-2', port: 80, targetPort: 8443 },
      ],
    });
  });

  test('is shown and not declared in a dry run', async () => {
    const argv = ['expose', 'deploy', 'hello-world', '--name=x', '--dry-run=client'];
    expect(await cli.out(...argv, '-o', 'yaml')).toBe(
      `apiVersion: v1
kind: Service
metadata:
  name: x
spec:
  ports:
  - port: 8080
    protocol: TCP
    targetPort: 8080
  selector:
    run: hello
status:
  loadBalancer: {}
`,
    );
    expect(await cli.out(...argv)).toBe('service/x exposed (dry run)\n');
    expect((await cli.run('get', 'svc', 'x')).code).toBe(1);
  });

  test.each<[argv: string[], code: number, err: RegExp]>([
    [
      ['deploy', 'nope'],
      1,
      /^Error from server \(NotFound\): deployments\.apps "nope" not found\n$/,
    ],
    [
      ['svc', 'nginx', '--port=80'],
      1,
      /^Error from server \(AlreadyExists\): services "nginx" already exists\n$/,
    ],
    [['svc', 'manual', '--name=x'], 2, /^error: couldn't retrieve selectors via --selector flag/],
    [['ep', 'nginx', '--name=x'], 2, /^error: cannot expose a Endpoints/],
    [['deploy'], 2, /^error: expected one resource, as in: rollcall expose/],
  ])('%j', async (argv, code, err) => {
    await cli.apply(serviceText('manual', { ports: [{ port: 80 }] }));
    const ended = await cli.run('expose', ...argv);
    expect(ended.err).toMatch(err);
    expect(ended.code).toBe(code);
  });

  test('what has no ports is asked for one', async () => {
    await cli.out('create', 'deployment', 'bare');
    const { code, err } = await cli.run('expose', 'deploy', 'bare');
    expect(code).toBe(2);
    expect(err).toBe("error: couldn't find port via --port flag or introspection\n");
  });
});

describe('what expose makes', () => {
  const dry = async (...argv: string[]) =>
    JSON.parse(
      await cli.out('expose', ...argv, '--name=made', '--dry-run=client', '-o', 'json'),
    ) as { spec: { ports?: object[] } };

  beforeEach(async () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
      { name: 'web', port: 80 },
      { name: 'log', port: 514, protocol: 'UDP' },
    ];
    await cli.apply(serviceText('names', { selector: { app: 'names' }, ports }));
  });

  test('each port keeps its protocols, several give several ports', async () => {
    expect((await dry('svc', 'names')).spec.ports).toEqual([
      { name: 'port-1-udp', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'port-1-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
      { name: 'port-2', port: 80, protocol: 'TCP', targetPort: 80 },
      { name: 'port-3', port: 514, protocol: 'UDP', targetPort: 514 },
    ]);
    expect((await dry('svc', 'names', '--port=514')).spec.ports).toEqual([
      { port: 514, protocol: 'UDP', targetPort: 514 },
    ]);
    expect((await dry('svc', 'names', '--port=9')).spec.ports).toEqual([
      { port: 9, protocol: 'TCP', targetPort: 9 },
    ]);
    expect((await dry('svc', 'names', '--port=53', '--protocol=SCTP')).spec.ports).toEqual([
      { port: 53, protocol: 'SCTP', targetPort: 53 },
    ]);
  });

  test('an address is requested only from a load balancer', async () => {
    const argv = ['svc', 'names', '--port=80', '--load-balancer-ip=192.0.2.1'];
    expect((await dry(...argv)).spec).not.toHaveProperty('loadBalancerIP');
    expect((await dry(...argv, '--type=LoadBalancer')).spec).toMatchObject({
      loadBalancerIP: '192.0.2.1',
    });
  });

  test('overrides of each type', async () => {
    const argv = ['svc', 'nginx', '--port=80'];
    const made = { port: 80, protocol: 'TCP', targetPort: 80 };
    const own = { port: 81, protocol: 'TCP' };
    const ports = async (type: string, patch: unknown) => {
      const options = ['--overrides', JSON.stringify(patch), `--override-type=${type}`];
      return (await dry(...argv, ...options)).spec.ports;
    };
    expect(await ports('merge', { spec: { ports: [own] } })).toEqual([own]);
    expect(await ports('strategic', { spec: { ports: [own] } })).toEqual([own, made]);
    const step = { op: 'add', path: '/spec/ports/0', value: own };
    expect(await ports('json', [step])).toEqual([own, made]);
  });

  test.each([
    ['--override-type=x', '--override-type: expected json, merge, strategic, got "x"'],
    [
      '--override-type=json',
      '--overrides: expected a list of steps for --override-type=json',
      '--overrides={}',
    ],
    ['--session-affinity=x', 'unknown session affinity: x'],
    ['--labels=a', '--labels: expected KEY=VALUE, got "a"'],
    ['--labels=a=b,=c', '--labels: expected KEY=VALUE, got "=c"'],
    ['--selector=a=b=c', '--selector: expected KEY=VALUE, got "a=b=c"'],
  ])('%s is a wrong command line', async (option, message, ...more) => {
    const { code, err } = await cli.run('expose', 'svc', 'nginx', '--name=x', option, ...more);
    expect({ code, err }).toEqual({ code: 2, err: `error: ${message}\n` });
  });
});

describe('scale', () => {
  test('changes the wish, and says that it is one', async () => {
    const { out, err } = await cli.run('scale', '--replicas=5', 'deployment', 'hello-world');
    expect(out).toBe('deployment.apps/hello-world scaled\n');
    expect(err).toMatch(/^Warning: this changes only the desired number/);
    expect(await cli.out('get', 'deploy', '--no-headers')).toBe(
      'hello-world   0/5   0   0   20m\n',
    );
  });

  test.each<[argv: string[], code: number, err: string]>([
    [
      ['deploy/hello-world', '--replicas=1', '--current-replicas=2'],
      1,
      'error: Expected replicas to be 2, was 3\n',
    ],
    [['deploy/hello-world'], 2, 'error: --replicas: expected the desired number\n'],
    [['svc/nginx', '--replicas=1'], 2, 'error: cannot scale a service: expected a deployment\n'],
  ])('%j', async (argv, code, err) => {
    expect(await cli.run('scale', ...argv)).toEqual({ code, out: '', err });
  });
});

describe('label and annotate', () => {
  test('set, set again, overwrite, remove', async () => {
    const label = (...argv: string[]) => cli.run('label', 'svc', 'nginx', ...argv);
    expect((await label('env=prod')).out).toBe('service/nginx labeled\n');
    expect((await label('env=prod')).out).toBe('service/nginx not labeled\n');
    expect(await label('env=test')).toEqual({
      code: 1,
      out: '',
      err: "error: 'env' already has a value (prod), and --overwrite is false\n",
    });
    expect((await label('env=test', '--overwrite')).out).toBe('service/nginx labeled\n');
    const twice = 'error: can not both modify and remove a label in the same command\n';
    expect(await label('env=prod', 'env-')).toEqual({ code: 2, out: '', err: twice });
    expect((await label('env-', 'env=prod')).err).toBe(twice);
    expect((await label('a=b', 'env-')).out).toBe('service/nginx modified\n');
    expect((await label('a-')).out).toBe('service/nginx unlabeled\n');
    expect((await label('a-')).out).toBe('label "a" not found.\nservice/nginx not labeled\n');
    // Every object inherits this name.
    const inherited = await label('constructor-');
    expect(inherited.out).toBe('label "constructor" not found.\nservice/nginx not labeled\n');
    expect((await label('constructor=x')).out).toBe('service/nginx labeled\n');
    expect((await label('constructor-')).out).toBe('service/nginx unlabeled\n');
    expect(await cli.out('get', 'svc', 'nginx', '--show-labels', '--no-headers')).toMatch(
      /app=nginx\n$/,
    );
  });

  test('instances, and what fits a selector', async () => {
    await cli.register('web/a', 8080);
    expect(await cli.out('label', 'pods', 'web/a', 'canary=true')).toBe('instance/a labeled\n');
    expect(await cli.out('get', 'pods', '-l', 'canary=true', '-o', 'name')).toBe('instance/a\n');
    expect(await cli.out('label', 'svc', '-l', 'app=nginx', 'x=y')).toBe('service/nginx labeled\n');
    expect(await cli.out('label', 'deploy', '--all', 'x=y')).toBe(
      'deployment.apps/hello-world labeled\n',
    );
    const { code, err } = await cli.run('annotate', 'pod', 'web/a', 'x=y');
    expect({ code, err }).toEqual({
      code: 2,
      err: 'error: instances have labels and no annotations\n',
    });
  });

  test('annotations', async () => {
    const annotate = (...argv: string[]) => cli.run('annotate', 'svc/nginx', ...argv);
    expect((await annotate('a=b c')).out).toBe('service/nginx annotated\n');
    expect((await annotate('a=d')).err).toBe(
      "error: --overwrite is false but found the following declared annotation(s): 'a' already has a value (b c)\n",
    );
    expect((await annotate('a-')).out).toBe('service/nginx annotated\n');
    const { code, err } = await annotate();
    expect({ code, err }).toEqual({
      code: 2,
      err: 'error: at least one annotation update is required: KEY=VALUE or KEY-\n',
    });
  });
});

test('what a dry run shows is created in the namespace that was named, with its labels', async () => {
  await cli.apply(NGINX.replace('name: nginx', 'name: nginx\n  namespace: prod'));
  const argv = ['expose', 'svc', 'nginx', '-n', 'prod', '--name=front', '--dry-run=client'];
  for (const format of ['yaml', 'json']) {
    const stdin = await cli.out(...argv, '-o', format);
    const { out } = await cli.runWith({ stdin }, 'apply', '-f', '-');
    expect(out).toBe('service/front created\n');
    expect(await cli.out('get', 'svc', 'front', '-n', 'prod', '--show-labels')).toContain(
      'app=nginx',
    );
    expect((await cli.run('get', 'svc', 'front')).code).toBe(1);
    await cli.out('delete', 'svc', 'front', '-n', 'prod');
  }
});
