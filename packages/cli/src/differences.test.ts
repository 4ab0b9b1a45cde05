import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { text as textFrom } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Backend } from './testing/backend.ts';
import { DEPLOYMENT, NGINX, serviceText } from './testing/manifests.ts';
import { TestCli } from './testing/test-cli.ts';

// The numbers are those of docs/kubernetes-differences.md.

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await cli.apply(NGINX);
  await cli.register('nginx/a', 8_080, { labels: { app: 'nginx' }, status: 'starting' });
});
afterAll(() => cli.close());

const titlesOf = (text: string) => text.split('\n')[0]?.split(/ {3,}/);

test('C1: instances have no restarts, and other columns', async () => {
  expect(titlesOf(await cli.out('get', 'pods', '-o', 'wide'))).toEqual([
    'NAME',
    'READY',
    'STATUS',
    'AGE',
    'IP',
    'PORTS',
    'SERVICE',
    'ZONE',
  ]);
});

test('C2: pods are instances', async () => {
  expect(await cli.out('get', 'po', 'a', '-o', 'name')).toBe('instance/a\n');
  expect((await cli.run('get', 'pod/nobody')).err).toContain('instances "nobody" not found');
});

test('C3: the states are those of instances', async () => {
  expect(await cli.out('get', 'pods', '--no-headers')).toMatch(/^a +0\/1 +Starting /);
});

test('C4: a deployment starts nothing, and says so', async () => {
  const { code, err } = await cli.runWith({ stdin: DEPLOYMENT }, 'apply', '-f', '-');
  expect([code, err]).toEqual([
    0,
    'Warning: a Deployment starts nothing here: it counts the instances that register with its labels against the desired number\n',
  ]);
  expect(await cli.out('get', 'deploy', '--no-headers')).toMatch(/^hello-world +0\/3 /);
});

test('C5: all is instances, services and deployments', async () => {
  const names = (await cli.out('get', 'all', '-o', 'name')).trim().split('\n');
  const types = new Set(names.map((name) => name.split('/')[0]));
  expect(types).toEqual(new Set(['deployment.apps', 'instance', 'service']));
});

test('C6: a namespace needs no creation', async () => {
  const { code, err } = await cli.run('create', 'namespace', 'shop');
  expect([code, err]).toEqual([
    0,
    'namespace/shop does not have to be created: it exists as soon as it contains something\n',
  ]);
  expect(await cli.out('get', 'ns', '-o', 'name')).toBe('namespace/default\n');
  expect((await cli.run('delete', 'ns', 'default')).code).toBe(1);
});

test('C7: a wrong command line ends with 2', async () => {
  expect((await cli.run('get', 'svc', '--nonsense')).code).toBe(2);
  expect((await cli.run('get', 'svc', 'nobody')).code).toBe(1);
});

test('C8: an error has a place in the file and a remedy; C10: an unknown field is an error like others', async () => {
  const file = cli.file('wrong.yaml', NGINX.replace('targetPort', 'targetport'));
  const { err } = await cli.run('apply', '-f', file);
  expect(err).toContain('The Service "nginx" is invalid: spec.ports[0].targetport: ');
  expect(err).toContain('at wrong.yaml:12:19\n    fix: did you mean targetPort?');
  const stray = await cli.runWith(
    { stdin: serviceText('stray', { portz: [] }) },
    'apply',
    '-f',
    '-',
  );
  expect(stray.err).toContain(
    'The Service "stray" is invalid: spec.portz: strict decoding error: unknown field "spec.portz"',
  );
  const object = JSON.parse(await cli.out('get', 'svc', 'nginx', '-o', 'json')) as {
    readonly metadata: object;
  };
  const old = { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
  const replaced = await cli.runWith({ stdin: JSON.stringify(old) }, 'replace', '-f', '-');
  expect(replaced.err).toContain(
    'The Service "nginx" is invalid: metadata.resourceVersion: Operation cannot be fulfilled on services "nginx": ',
  );
});

test('C9: of several documents, none is written if one is refused', async () => {
  const text = `${serviceText('good', { ports: [{ port: 80 }] })}---\n${serviceText('bad', {})}`;
  expect((await cli.runWith({ stdin: text }, 'apply', '-f', '-')).code).toBe(1);
  expect((await cli.run('get', 'svc', 'good')).code).toBe(1);
  await cli.runWith({ stdin: text }, 'apply', '-f', '-', '--partial');
  expect((await cli.run('get', 'svc', 'good')).code).toBe(0);
  const [first, second] = [80, 81].map((port) =>
    cli.file(`twice-${port}.yaml`, serviceText('twice', { ports: [{ port }] })),
  );
  const twice = await cli.run('apply', '-f', String(first), '-f', String(second));
  expect([twice.code, twice.err]).toEqual([1, expect.stringContaining('declared twice')]);
});

test('C11: explain shows names and types, and why an instance is no endpoint', async () => {
  expect(await cli.out('explain', 'svc.spec.ports')).toContain('nodePort');
  expect(await cli.out('explain', 'svc', 'nginx')).toContain('starting');
});

test('C12: cordon and uncordon are for instances', async () => {
  expect(await cli.out('cordon', 'nginx/a')).toBe('instance/a cordoned\n');
  expect(await cli.out('uncordon', 'nginx/a')).toBe('instance/a uncordoned\n');
});

test('C13: top shows calls', async () => {
  expect(titlesOf(await cli.out('top'))?.slice(0, 2)).toEqual(['NAME', 'SERVICE']);
  expect((await cli.run('top', 'nodes')).code).toBe(1);
});

test('C14: events are those of instances and declared objects', async () => {
  const events = await cli.out('events');
  expect(events).toContain('it registered');
  expect(events).toContain('Service nginx was declared');
});

test('C15: a service has conditions, as its proxies report them', async () => {
  await cli.rollcall.call('putReport', {
    params: { ns: 'default', svc: 'nginx', reporter: 'proxy-1' },
    body: {
      conditions: [
        { type: 'ClusterIPBound', status: 'False', reason: 'AddressInUse', message: 'in use' },
      ],
    },
  });
  const page = await cli.out('describe', 'svc', 'nginx');
  expect(page).toMatch(/Conditions:[^]*ClusterIPBound +False[^]*in use/);
});

/** The name of what answers at a forwarded port. */
async function answering(port: string | undefined): Promise<string | undefined> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.end('');
  return (await textFrom(socket)).split('\n')[0];
}

test('C16: each connection goes to an instance that is there; C17: a name alone is an instance', async () => {
  const backends = [await Backend.start('f0'), await Backend.start('f1')];
  for (const [i, { port }] of backends.entries()) await cli.register(`front/f${i}`, port);
  await cli.apply(serviceText('front', { selector: { app: 'front' }, ports: [{ port: 80 }] }));
  const running = cli.start('port-forward', 'svc/front', ':80');
  const [, local] = await running.printed(/127\.0\.0\.1:(\d+) ->/);
  const seen = [await answering(local), await answering(local)];
  expect(new Set(seen)).toEqual(new Set(['f0', 'f1']));
  backends[0]?.close();
  expect([await answering(local), await answering(local)]).toEqual(['f1', 'f1']);
  const one = cli.start('port-forward', 'f1', ':80');
  const [, own] = await one.printed(/127\.0\.0\.1:(\d+) ->/);
  expect(await answering(own)).toBe('f1');
  backends[1]?.close();
});

test('C19: diff has headings of its own', async () => {
  const file = cli.file('svc.yaml', NGINX.replace('8080', '8081'));
  const { code, out } = await cli.run('diff', '-f', file);
  expect(code).toBe(1);
  expect(out).toMatch(/^--- live\/Service\.default\.nginx\n\+\+\+ file\/Service/);
});

test('C20: source ranges go with the type', async () => {
  const ranges = { loadBalancerSourceRanges: ['10.0.0.0/8'] };
  await cli.apply(serviceText('lb', { type: 'LoadBalancer', ports: [{ port: 80 }], ...ranges }));
  const patch = '{"spec":{"type":"ClusterIP"}}';
  expect((await cli.run('patch', 'svc', 'lb', '-p', patch)).code).toBe(0);
  const path = 'jsonpath={.spec.loadBalancerSourceRanges}';
  expect(await cli.out('get', 'svc', 'lb', '-o', path)).toBe('');
});

test('C21: external IPs are refused unless they are allowed', async () => {
  const text = serviceText('own', { ports: [{ port: 80 }], externalIPs: ['203.0.113.7'] });
  const { err } = await cli.runWith({ stdin: text }, 'apply', '-f', '-');
  expect(err).toContain('spec.externalIPs[0]: Forbidden: 203.0.113.7 is in no network');
});

test('C22: version is that of the client, cluster-info that of the registry', async () => {
  expect(await cli.out('version')).toContain('1.2.3');
  expect(await cli.out('cluster-info')).toContain('Rollcall registry is running at http');
});

test.each(['logs', 'exec', 'attach', 'cp', 'debug', 'rollout', 'autoscale', 'auth', 'config'])(
  'C23: %s says what to do instead',
  async (command) => {
    const { code, err } = await cli.run(command, 'x');
    expect(code).toBe(2);
    expect(err.length).toBeGreaterThan(40);
  },
);

test('C24: go templates have no pipes', async () => {
  const simple = 'go-template={{range .items}}{{.metadata.name}} {{end}}';
  expect(await cli.out('get', 'svc', '-o', simple)).toContain('nginx ');
  const piped = 'go-template={{.metadata.name | printf "%s"}}';
  expect((await cli.run('get', 'svc', 'nginx', '-o', piped)).code).not.toBe(0);
});

test.each([
  ...['--server-side', '--prune', '--force', '-k', '--validate=false', '--context=a'].map(
    (option) => `apply ${option} -f svc.yaml`,
  ),
  'label svc nginx --list',
  'wait --for=delete svc --all',
  'delete svc nginx --now',
  'edit -f svc.yaml',
])('C25: %s is refused', async (line) => {
  const { code, err } = await cli.run(...line.split(' '));
  expect([code, err]).toEqual([2, expect.stringMatching(/^error: unknown option '--?[a-z-]+'/)]);
});

test('C26: what is derived or implicit cannot be changed', async () => {
  await cli.register('only/a', 9_999);
  for (const [type, name, why] of [
    ['svc', 'only', 'services "only" not found: it is not declared'],
    ['ep', 'nginx', 'endpoints "nginx" is derived from the instances of its service'],
  ] as const) {
    const { code, err } = await cli.run('label', type, name, 'a=b');
    expect([code, err]).toEqual([1, expect.stringContaining(why)]);
  }
  expect((await cli.run('get', 'svc', 'only')).code).toBe(0);
});

test('C27: a service without ready endpoints has <none>', async () => {
  await cli.apply(serviceText('empty', { selector: { app: 'no' }, ports: [{ port: 80 }] }));
  expect(await cli.out('describe', 'svc', 'empty')).toMatch(/^Endpoints: +<none>$/m);
  expect(await cli.out('get', 'ep', 'empty', '--no-headers')).toMatch(/^empty +<none> /);
  await cli.run('create', 'ingress', 'empty', '--rule=a.example/=empty:80');
  expect(await cli.out('describe', 'ing', 'empty')).toMatch(/ empty:80 \(<none>\)$/m);
});

test('C28: a backend whose port the service does not have has <none>', async () => {
  const backend = { service: { name: 'nginx', port: { number: 9 } } };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop' },
    spec: { defaultBackend: backend },
  };
  await cli.apply(JSON.stringify(ingress));
  expect(await cli.out('describe', 'ing', 'shop')).toMatch(/nginx:9 \(<none>\)/);
});

test('C29: what is there already is an answer of the server, whichever command asks', async () => {
  const { err } = await cli.run('create', 'service', 'clusterip', 'nginx', '--tcp=80');
  expect(err).toBe('Error from server (AlreadyExists): services "nginx" already exists\n');
});

test('C30: a refused file of edit is kept, and its place is named', async () => {
  const env = { EDITOR: `sh -c 'cp "$1" ${cli.folder}/seen; sed -i s/8080/99999/ "$1"' sh` };
  const { code, err } = await cli.runWith({ env }, 'edit', 'svc', 'nginx');
  expect(code).toBe(1);
  const [, file = ''] = /at (\S+nginx\.yaml):\d+:\d+/.exec(err) ?? [];
  expect(readFileSync(file, 'utf8')).toContain('99999');
  rmSync(dirname(file), { recursive: true });
  expect(readFileSync(`${cli.folder}/seen`, 'utf8')).not.toContain('#');
});

test('C31: the only subresource is the status', async () => {
  expect(await cli.run('get', 'deploy', 'hello-world', '--subresource=scale')).toEqual({
    code: 2,
    out: '',
    err: 'error: invalid subresource value: "scale". Must be one of [status]\n',
  });
});

test('C32: apply keeps the fields of the file, and adds none', async () => {
  const text = serviceText('kept', { ports: [{ port: 80, name: 'a' }], clusterIP: 'None' });
  await cli.apply(text);
  const path = String.raw`{.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}`;
  const kept = await cli.out('get', 'svc', 'kept', '-o', `jsonpath=${path}`);
  expect(JSON.parse(kept)).toEqual(JSON.parse(text));
  expect(kept.indexOf('metadata')).toBeLessThan(kept.indexOf('clusterIP'));
  expect(kept.indexOf('ports')).toBeLessThan(kept.indexOf('clusterIP'));
});

test('C33: what is not there is deleted', async () => {
  expect(await cli.out('wait', '--for=delete', 'svc/gone')).toBe('service/gone condition met\n');
});

test('C34: a deployment needs no image', async () => {
  const argv = ['deployment', 'plain', '--dry-run=client', '-o'];
  const path = 'jsonpath={.spec.template.spec.containers[*].image}';
  expect(await cli.out('create', ...argv, path)).toBe('plain');
});
