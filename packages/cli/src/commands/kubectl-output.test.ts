import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await cli.apply(
    serviceText(
      'orders',
      { selector: { tier: 'back', app: 'orders' }, ports: [{ port: 80 }] },
      { labels: { zone: 'b', app: 'orders' }, annotations: { z: '1', a: '2' } },
    ),
  );
});
afterAll(() => cli.close());

const sliceText = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': 'parts' } },
    addressType: 'IPv4',
    ...spec,
  });

describe('selectors, labels and annotations', () => {
  test('are in the order of their keys', async () => {
    expect(await cli.out('get', 'svc', 'orders', '-o', 'wide', '--show-labels')).toMatch(
      /   app=orders,tier=back   app=orders,zone=b\n$/,
    );
    expect(await cli.out('describe', 'svc', 'orders')).toMatch(
      /\nLabels: +app=orders\n +zone=b\nAnnotations: +a: 2\n +z: 1\nSelector: +app=orders,tier=back\n/,
    );
  });

  test('a long annotation has lines of its own, cut', async () => {
    const value = `${'x'.repeat(200)}\nend\n`;
    await cli.apply(
      serviceText('noted', { ports: [{ port: 80 }] }, { annotations: { note: value } }),
    );
    expect(await cli.out('describe', 'svc', 'noted')).toContain(
      `Annotations:              note:\n${' '.repeat(28)}${'x'.repeat(138)}...\n${' '.repeat(28)}end\nSelector:`,
    );
  });
});

describe('endpoint slices', () => {
  test('three ports and addresses, and how many more', async () => {
    const ports = [80, 443, 8080, 9090].map((port) => ({ name: `p-${port}`, port }));
    const endpoints = [1, 2, 3, 4, 5].map((n) => ({ addresses: [`192.0.2.${n}`] }));
    await cli.apply(sliceText('parts-1', { ports, endpoints }));
    const table = await cli.out('get', 'endpointslices', 'parts-1', '--no-headers');
    expect(table).toBe(
      'parts-1   IPv4   80,443,8080 + 1 more...   192.0.2.1,192.0.2.2,192.0.2.3 + 2 more...   20m\n',
    );
  });

  test('one without endpoints has unset ports and endpoints', async () => {
    const of = ['-l', 'kubernetes.io/service-name=orders'];
    const table = await cli.out('get', 'endpointslices', ...of, '--no-headers');
    expect(table).toMatch(/^orders-[0-9a-f]{10}   IPv4   <unset>   <unset>   20m\n$/);
    const page = await cli.out('describe', 'endpointslices', ...of);
    expect(page).toMatch(
      /\nAddressType: +IPv4\nPorts: <unset>\nEndpoints: <none>\nEvents: {2}<none>\n$/,
    );
  });

  test('its page is aligned as a whole', async () => {
    const targetRef = { kind: 'Pod', name: 'one' };
    const endpoints = [
      { addresses: ['192.0.2.1'], targetRef, zone: 'north', conditions: { ready: true } },
      { addresses: ['192.0.2.2'], hostname: 'two', nodeName: 'n' },
    ];
    await cli.apply(sliceText('parts-2', { ports: [{ name: 'http' }], endpoints }));
    const page = await cli.out('describe', 'endpointslice', 'parts-2');
    expect(page.slice(page.indexOf('Ports:'))).toBe(`Ports:
  Name  Port     Protocol
  ----  ----     --------
  http  <unset>  TCP
Endpoints:
  - Addresses:  192.0.2.1
    Conditions:
      Ready:    true
    Hostname:   <unset>
    TargetRef:  Pod/one
    NodeName:   <unset>
    Zone:       north
  - Addresses:  192.0.2.2
    Conditions:
      Ready:   <unset>
    Hostname:  two
    NodeName:  n
    Zone:      <unset>
Events:        <none>
`);
  });
});

test('describe takes the objects of a file, with or without their events', async () => {
  const file = cli.file(
    'filed.yaml',
    serviceText('filed', { ports: [{ port: 80 }] }, { namespace: 'prod' }),
  );
  await cli.out('create', '-f', file);
  const whole = await cli.out('describe', '-f', file);
  expect(whole).toMatch(/^Name: +filed\nNamespace: +prod\n[^]*\nEvents:\n[^]*was declared\n$/);
  const page = await cli.out('describe', '-f', file, '--show-events=false');
  expect(whole.startsWith(page)).toBe(true);
  expect(page).toMatch(/\nInternal Traffic Policy: +Cluster\n$/);
  expect(await cli.out('describe', 'ing', '--show-events', 'false')).not.toContain('Events:');
  expect((await cli.run('describe', 'svc', '--show-events=no')).err).toBe(
    'error: --show-events: expected true or false, got "no"\n',
  );
});

test('an ingress: three hosts, and how many more', async () => {
  const backend = { service: { name: 'orders', port: { number: 80 } } };
  const rules = ['a', 'b', 'c', 'd'].map((name) => ({ host: `${name}.test` }));
  await cli.apply(
    JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'many' },
      spec: { defaultBackend: backend, rules },
    }),
  );
  expect(await cli.out('get', 'ing', 'many', '--no-headers')).toContain(
    '   a.test,b.test,c.test + 1 more...   ',
  );
});

test('the addresses of balancers: each once, sorted, and cut unless wide', async () => {
  await cli.apply(serviceText('far', { type: 'LoadBalancer', ports: [{ port: 80 }] }));
  const loadBalancer = ['192.0.2.22', '192.0.2.11'].map((ip) => ({ ip }));
  await cli.rollcall.report('far', 'lb.one', { conditions: [], loadBalancer });
  await cli.rollcall.report('far', 'lb.two', { conditions: [], loadBalancer });
  expect(await cli.out('get', 'svc', 'far', '--no-headers')).toContain('   192.0.2.11,19...   80:');
  expect(await cli.out('get', 'svc', 'far', '--no-headers', '-o', 'wide')).toContain(
    '   192.0.2.11,192.0.2.22   80:',
  );
});

describe('events', () => {
  test('of a deleted service are not those of its successor', async () => {
    const text = serviceText('again', { type: 'LoadBalancer', ports: [{ port: 80 }] });
    await cli.apply(text);
    await cli.out('label', 'svc', 'again', 'a=b');
    await cli.rollcall.report('again', 'lb.one', { loadBalancer: [{ ip: '192.0.2.1' }] });
    await cli.out('delete', 'svc', 'again');
    await cli.rollcall.withdrawReport('again', 'lb.one');
    await cli.apply(text);
    const page = await cli.out('describe', 'svc', 'again');
    expect(page.match(/^ {2}Normal .*$/gm)).toHaveLength(1);
    expect(page).toMatch(/\n {2}Normal {2}Created .*Service again was declared\n$/);
  });

  test('of no other kind are those of a service', async () => {
    const other = (apiVersion: string, kind: string, rest: object) =>
      JSON.stringify({ apiVersion, kind, metadata: { name: 'shared' }, ...rest });
    const backendRefs = [{ name: 'shared', port: 80 }];
    await cli.apply(
      [
        serviceText('shared', { ports: [{ port: 80 }] }),
        other('gateway.networking.k8s.io/v1', 'HTTPRoute', { spec: { rules: [{ backendRefs }] } }),
        other('v1', 'Endpoints', { subsets: [] }),
      ].join('\n---\n'),
    );
    const page = await cli.out('describe', 'svc', 'shared');
    expect(page.match(/was declared$/gm)).toHaveLength(1);
    const of = async (type: string) =>
      (await cli.out('events', '--for', `${type}/shared`, '--no-headers')).trim().split('\n');
    expect(await of('svc')).toEqual([expect.stringContaining('   service/shared ')]);
    expect(await of('httproute')).toEqual([expect.stringContaining('   httproute/shared ')]);
  });

  test('of one object, of one type', async () => {
    await cli.register('crew/a', 80);
    await cli.register('crew/b', 81);
    await cli.apply(serviceText('crew', { ports: [{ port: 80 }] }));
    const conditions = [
      { type: 'Bound', status: 'False', reason: 'AddressInUse', message: '' },
    ] as const;
    await cli.rollcall.report('crew', 'proxy', { conditions: [...conditions] });
    const objects = async (...argv: string[]) =>
      (await cli.out('events', '--no-headers', ...argv))
        .trim()
        .split('\n')
        .map((line) => line.split(/ {3,}/)[3]);
    const all = ['instance/crew/a', 'instance/crew/b', 'service/crew', 'service/crew'];
    expect(await objects('--for', 'svc/crew')).toEqual(all);
    expect(await objects('--for=crew')).toEqual(all);
    expect(await objects('--for', 'instance/crew/a')).toEqual(['instance/crew/a']);
    expect(await objects('--for', 'pod/b')).toEqual(['instance/crew/b']);
    expect(await objects('--for', 'svc/crew', '--types=warning')).toEqual(['service/crew']);
    for (const [argv, message] of [
      [['--types=Bad'], 'valid --types are Normal or Warning'],
      [['--for=svc/'], '--for: expected TYPE/NAME, got "svc/"'],
    ] as const) {
      const { code, err } = await cli.run('events', ...argv);
      expect({ code, err }).toEqual({ code: 2, err: `error: ${message}\n` });
    }
  });

  test('a deleted deployment of the name leaves those of a service alone', async () => {
    await cli.apply(serviceText('mixed', { ports: [{ port: 80 }] }));
    await cli.out('create', 'deployment', 'mixed', '--image=mixed');
    await cli.out('delete', 'deployment', 'mixed');
    expect(await cli.out('describe', 'svc', 'mixed')).toContain('Service mixed was declared');
  });
});
