import { freePort, until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEPLOYMENT, NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.apply(NGINX);
});
afterEach(() => cli.close());

describe('drain', () => {
  test('out of use, and back', async () => {
    await cli.register('nginx/a', 3001);
    expect(await cli.out('drain', 'a')).toBe('instance/a drained\n');
    expect(await cli.out('get', 'ep', 'nginx', '--no-headers')).toBe('nginx   <none>   20m\n');
    expect(await cli.out('describe', 'pod', 'a')).toContain(
      'Override:     draining by tester: drained by command\n',
    );
    expect(await cli.out('drain', 'instance/nginx/a', '--undo')).toBe('instance/a back in use\n');
    expect(await cli.out('drain', 'instance', 'nginx/a', '--undo')).toBe(
      'instance/a back in use\n',
    );
    expect(await cli.out('get', 'po', 'a', '--no-headers')).toBe('a   1/1   Running   20m\n');
  });

  test('of the last one: a warning, since callers have nobody else', async () => {
    await cli.register('nginx/a', 3001);
    await cli.register('nginx/b', 3002);
    expect((await cli.run('drain', 'nginx/a')).err).toBe('');
    expect(await cli.run('drain', 'nginx/b')).toEqual({
      code: 0,
      out: 'instance/b drained\n',
      err: 'Warning: no other instance of nginx is in use, so callers go on calling those that drain\n',
    });
  });

  test('for a time: it comes back by itself', async () => {
    await cli.register('nginx/a', 3001);
    await cli.out('drain', 'a', '--for=1s', '--reason=kernel', '--author=ada');
    expect(await cli.out('get', 'po', 'a', '--no-headers')).toContain('Terminating');
    await until(async () => (await cli.out('get', 'po', 'a')).includes('Running'));
  });

  test.each<[argv: string[], code: number, err: string]>([
    [['nope'], 1, 'Error from server (NotFound): instances "nope" not found\n'],
    [[], 2, 'error: expected an instance, as in: rollcall drain nginx/a\n'],
    [
      ['a', '--for=soon'],
      2,
      'error: --for: expected a duration such as 30s, 5m or 1h, got "soon"\n',
    ],
  ])('%j', async (argv, code, err) => {
    await cli.register('nginx/a', 3001);
    expect(await cli.run('drain', ...argv)).toEqual({ code, out: '', err });
  });
});

describe('wait', () => {
  test('for instances to be ready', async () => {
    const one = await cli.register('nginx/a', 3001, { status: 'starting' });
    const argv = ['wait', '--for=condition=Ready', 'pod', '-l', 'app=nginx', '--timeout=30s'];
    const waiting = cli.start(...argv);
    await one.setStatus('up');
    expect(await waiting.ended).toBe(0);
    expect(waiting.out).toBe('instance/a condition met\n');
  });

  test('for a deployment, an address, a creation, an end', async () => {
    await cli.apply(DEPLOYMENT.replace('replicas: 3', 'replicas: 1'));
    const available = cli.start('wait', '--for=condition=available', 'deploy/hello-world');
    await cli.register('hello/a', 3001, { labels: { run: 'hello' } });
    expect(await available.ended).toBe(0);
    const created = cli.start('wait', '--for=create', 'svc/lb');
    await cli.apply(serviceText('lb', { type: 'LoadBalancer', ports: [{ port: 80 }] }));
    expect(await created.ended).toBe(0);
    const path = "--for=jsonpath='{.status.loadBalancer.ingress[0].ip}'=127.0.0.80";
    const addressed = cli.start('wait', path, 'svc/lb');
    const report = { loadBalancer: [{ ip: '127.0.0.80' }] };
    await cli.rollcall.report('lb', 'lb.one', report);
    expect(await addressed.ended).toBe(0);
    const gone = cli.start('wait', '--for=delete', 'svc/lb');
    await cli.out('delete', 'svc', 'lb');
    expect(await gone.ended).toBe(0);
    expect(gone.out).toBe('service/lb condition met\n');
  });

  test.each<[argv: string[], code: number, err: string]>([
    [
      ['--for=jsonpath={.x}', 'svc/nginx', '--timeout=100ms'],
      1,
      'error: timed out waiting for the condition on services/nginx\n',
    ],
    [
      ['--for=condition=Ready', 'pod/nope'],
      1,
      'Error from server (NotFound): instances "nope" not found\n',
    ],
    [['--for=condition=Ready', 'pod', '-l', 'no=such'], 1, 'error: no matching resources found\n'],
    [
      ['svc/nginx'],
      2,
      'error: --for: expected delete, create, condition=TYPE[=STATUS] or jsonpath={.path}[=VALUE]\n',
    ],
  ])('%j', async (argv, code, err) => {
    expect(await cli.run('wait', ...argv)).toEqual({ code, out: '', err });
  });
});

// What cannot be seen is not gone.
test('wait for an end does not believe in one that it cannot see', async () => {
  const end = ['wait', '--for=delete'];
  const away = ['--registry', `http://127.0.0.1:${await freePort()}`];
  const unreachable = await cli.run(...end, 'svc/nginx', ...away);
  expect(unreachable).toMatchObject({ code: 1, out: '' });
  expect(unreachable.err).toContain('The connection to the registry');
  await cli.register('nginx/a', 3001);
  await cli.register('web/a', 3002);
  const ambiguous = await cli.run(...end, 'instance/a');
  expect(ambiguous).toMatchObject({ code: 1, out: '' });
  expect(ambiguous.err).toContain('several services have it');
  const waiting = cli.start(...end, 'svc/nginx');
  expect(await waiting.stop()).toBe(1);
  expect(waiting.err).toBe('error: stopped before the condition on services/nginx was met\n');
});

describe('explain', () => {
  test('why each instance is or is not an endpoint', async () => {
    await cli.register('nginx/a', 3001, { address: '127.0.0.1' });
    await cli.register('web/w', 8080, { address: '127.0.0.1' });
    await cli.out('drain', 'nginx/a');
    const lines = (await cli.out('explain', 'svc', 'nginx')).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'service/nginx is declared',
      'selector: app=nginx',
      'note: no instance is an endpoint: calls are refused until one fits',
    ]);
    const text = lines.join('\n');
    expect(text).toMatch(
      /\nnginx\/a +no +has every label that the selector wants\n +port 8080: leads to 127\.0\.0\.1:3001\n +is draining: .*; gets no new calls\n/,
    );
    expect(text).toMatch(/\nweb\/w +no +the selector wants app=nginx; its label is app=web\n/);
    expect(await cli.out('explain', 'web')).toMatch(
      /^service\/web is there because instances registered under its name\n/,
    );
    expect((await cli.run('explain', 'nope')).err).toBe(
      'Error from server (NotFound): services "nope" not found\n',
    );
    expect((await cli.run('explain', 'pod', 'a')).code).toBe(2);
  });
});

describe('events', () => {
  test('of a namespace, of one service, of all', async () => {
    await cli.register('nginx/a', 3001);
    expect(await cli.out('events', '--for', 'svc/nginx')).toBe(
      `LAST SEEN   TYPE     REASON       OBJECT             MESSAGE
20m         Normal   Created      service/nginx      Service nginx was declared
20m         Normal   Registered   instance/nginx/a   it registered
`,
    );
    expect(await cli.out('events', '-A')).toMatch(/^NAMESPACE +LAST SEEN/);
    expect((await cli.run('events', '-n', 'empty')).err).toBe(
      'No events found in empty namespace.\n',
    );
  });
});

describe('env', () => {
  const VARIABLES = `NGINX_SERVICE_HOST=127.96.9.1
NGINX_SERVICE_PORT=8080
NGINX_SERVICE_PORT_WEB=8080
NGINX_PORT=tcp://127.96.9.1:8080
NGINX_PORT_8080_TCP=tcp://127.96.9.1:8080
NGINX_PORT_8080_TCP_PROTO=tcp
NGINX_PORT_8080_TCP_PORT=8080
NGINX_PORT_8080_TCP_ADDR=127.96.9.1
`;

  test('of the services that have a cluster IP, in each form', async () => {
    const ports = [{ name: 'web', port: 8080 }];
    await cli.apply(
      `${serviceText('nginx', { clusterIP: '127.96.9.1', ports }, { namespace: 'shop' })}---\n${serviceText('db', { clusterIP: 'None' }, { namespace: 'shop' })}`,
    );
    expect(await cli.out('env', '-n', 'shop')).toBe(VARIABLES);
    expect(await cli.out('env', '-n', 'shop', '-o', 'shell')).toBe(
      VARIABLES.replaceAll(/^(?=.)/gm, 'export '),
    );
    expect(JSON.parse(await cli.out('env', '-n', 'shop', '-o', 'json'))).toMatchObject({
      NGINX_SERVICE_HOST: '127.96.9.1',
    });
    expect((await cli.run('env', '-o', 'xml')).err).toBe(
      'error: --output: expected dotenv, shell or json, got "xml"\n',
    );
  });
});
