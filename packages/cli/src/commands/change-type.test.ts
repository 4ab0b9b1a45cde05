import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
});
afterAll(() => cli.close());

interface Read {
  metadata: { name: string };
  spec: Record<string, unknown> & { ports: Record<string, unknown>[] };
}

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
const SPECS: Readonly<Record<string, object>> = {
  ClusterIP: {},
  NodePort: { externalTrafficPolicy: 'Local' },
  LoadBalancer: {
    externalTrafficPolicy: 'Local',
    loadBalancerClass: 'example.com/a',
    loadBalancerIP: '127.0.0.80',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
  },
  ExternalName: {},
};
const PAIRS = TYPES.flatMap((from) =>
  TYPES.filter((to) => to !== from).map((to) => [from, to] as const),
);
let count = 0;

/** A service of a type, under a name of its own. */
async function declared(type: string, more: object = {}): Promise<string> {
  const name = `s${++count}`;
  const ports = [
    { name: 'http', port: 80 },
    { name: 'https', port: 443 },
  ];
  const spec = { type, ports, externalName: 'db.example.com', ...SPECS[type], ...more };
  await cli.apply(serviceText(name, spec));
  return name;
}

/** What was read, its type changed as sed does it, and more. */
async function changed(name: string, to: string, change: (read: Read) => void = () => {}) {
  const text = await cli.out('get', 'svc', name, '-o', 'yaml');
  const read = parse(text.replace(/^ {2}type: \w+$/m, `  type: ${to}`)) as Read;
  change(read);
  return stringify(read);
}

async function specOf(name: string): Promise<Read['spec']> {
  return (JSON.parse(await cli.out('get', 'svc', name, '-o', 'json')) as Read).spec;
}

describe.each(PAIRS)('from %s to %s', (from, to) => {
  test.each(['replace', 'apply'])('%s puts back what was read', async (command) => {
    const name = await declared(from);
    const stdin = await changed(name, to);
    const { code, err } = await cli.runWith({ stdin }, command, '-f', '-');
    expect(err.replaceAll(/^Warning: .*\n/gm, '')).toBe('');
    expect(code).toBe(0);
    const spec = await specOf(name);
    expect(spec['type']).toBe(to);
    const hasNodePorts = to === 'NodePort' || to === 'LoadBalancer';
    expect(spec.ports.every(({ nodePort }) => (nodePort !== undefined) === hasNodePorts)).toBe(
      true,
    );
    expect('clusterIP' in spec).toBe(to !== 'ExternalName');
    expect('externalTrafficPolicy' in spec).toBe(hasNodePorts);
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) {
      if (to !== 'LoadBalancer') expect(spec).not.toHaveProperty(field);
    }
    if (to !== 'LoadBalancer') expect(spec).not.toHaveProperty('healthCheckNodePort');
  });

  test('edit and patch', async () => {
    const name = await declared(from);
    const EDITOR = `sed -i.bak 's/^  type: .*/  type: ${to}/'`;
    const { code, err } = await cli.runWith({ env: { EDITOR } }, 'edit', 'svc', name);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((await specOf(name))['type']).toBe(to);
    const other = await declared(from);
    await cli.out('patch', 'svc', other, '-p', JSON.stringify({ spec: { type: to } }));
    expect((await specOf(other))['type']).toBe(to);
  });
});

test.each<[what: string, from: string, change: (read: Read) => void, fault: RegExp]>([
  [
    'another node port',
    'NodePort',
    ({ spec }) => (spec.ports[0]!['nodePort'] = 30_123),
    /spec\.ports\[0\]\.nodePort: Forbidden: may not be used when `type` is 'ClusterIP'\n +at STDIN:\d+:\d+\n +fix: type: NodePort/,
  ],
  [
    'another policy',
    'LoadBalancer',
    ({ spec }) => (spec['externalTrafficPolicy'] = 'Cluster'),
    /^The Service "s\d+" is invalid: spec\.externalTrafficPolicy: Invalid value: "Cluster"/,
  ],
  [
    'another class',
    'LoadBalancer',
    ({ spec }) => (spec['loadBalancerClass'] = 'example.com/b'),
    /^The Service "s\d+" is invalid: spec\.loadBalancerClass: Forbidden/,
  ],
  [
    'what is wrong besides',
    'LoadBalancer',
    ({ spec }) => (spec['sessionAffinity'] = 'Both'),
    /^The Service "s\d+" is invalid: spec\.sessionAffinity: Unsupported value: "Both"/,
  ],
  [
    'another address',
    'LoadBalancer',
    ({ spec }) => (spec['clusterIP'] = '127.96.0.99'),
    /may not change once set/,
  ],
])('what does not fit and was written anew is refused: %s', async (_, from, change, fault) => {
  for (const command of ['replace', 'apply']) {
    const name = await declared(from);
    const stdin = await changed(name, 'ClusterIP', change);
    const { code, err } = await cli.runWith({ stdin }, command, '-f', '-');
    expect(code).toBe(1);
    expect(err).toMatch(fault);
    // What the former type had is not spoken of.
    if (!fault.source.includes('nodePort')) expect(err).not.toContain('nodePort');
    expect(err).not.toContain('allocateLoadBalancerNodePorts');
    expect((await specOf(name))['type']).toBe(from);
  }
});

test('a new service has nothing to leave behind', async () => {
  const ports = [{ port: 80, nodePort: 30_555 }];
  const stdin = serviceText('fresh', { type: 'ClusterIP', ports });
  for (const command of ['create', 'apply']) {
    const { code, err } = await cli.runWith({ stdin }, command, '-f', '-');
    expect(code).toBe(1);
    expect(err).toContain('spec.ports[0].nodePort: Forbidden');
  }
});

test('a headless service stays one, and has no node ports', async () => {
  const name = await declared('ClusterIP', { clusterIP: 'None' });
  const stdin = await changed(name, 'NodePort');
  const refused = await cli.runWith({ stdin }, 'replace', '-f', '-');
  expect(refused.err).toContain("may not be set to 'None' for NodePort services");
  const external = await changed(name, 'ExternalName');
  expect((await cli.runWith({ stdin: external }, 'replace', '-f', '-')).code).toBe(0);
  const back = await changed(name, 'ClusterIP', ({ spec }) => (spec['clusterIP'] = 'None'));
  expect((await cli.runWith({ stdin: back }, 'replace', '-f', '-')).code).toBe(0);
  expect((await specOf(name))['clusterIP']).toBe('None');
});
