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
