import type { ManifestObject } from '@rollcall/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, type Reply, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeAll(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterAll(() => server.close());

const NAMES = ['one', 'two', 'three'];
const portsWith = (number: fc.Arbitrary<object>) =>
  fc.uniqueArray(
    fc
      .tuple(
        fc.record({
          name: fc.constantFrom('a', 'b', 'c'),
          port: fc.constantFrom(80, 81, 53),
          protocol: fc.constantFrom('TCP', 'UDP'),
        }),
        number,
      )
      .map(([port, more]) => ({ ...port, ...more })),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  );
const none = fc.constant({});
const anyNodePort = fc.oneof(none, fc.constantFrom({ nodePort: 30_500 }, { nodePort: 30_501 }));
const some = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(fields, { requiredKeys: [] });
const address = fc.constantFrom('127.96.9.1', '127.96.9.2', '');
const sessionAffinity = fc.constantFrom('ClientIP', 'None');
const externalTrafficPolicy = fc.constantFrom('Local', 'Cluster');
/** Mostly such as are taken by themselves: what was there before is what may stand against them. */
const spec = fc
  .oneof(
    fc.record({
      type: fc.constantFrom('ClusterIP', undefined),
      ports: portsWith(none),
      rest: some({ clusterIP: fc.oneof(address, fc.constant('None')), sessionAffinity }),
    }),
    fc.record({
      type: fc.constant('NodePort'),
      ports: portsWith(anyNodePort),
      rest: some({ clusterIP: address, externalTrafficPolicy }),
    }),
    fc.record({
      type: fc.constant('LoadBalancer'),
      ports: portsWith(anyNodePort),
      rest: some({ allocateLoadBalancerNodePorts: fc.boolean(), externalTrafficPolicy }),
    }),
    fc.record({
      type: fc.constant('ExternalName'),
      ports: fc.oneof(fc.constant([]), portsWith(none)),
      rest: fc.record({ externalName: fc.constantFrom('a.example', 'b.example') }),
    }),
    fc.record({
      type: fc.constant('NodePort'),
      ports: portsWith(none),
      rest: some({ sessionAffinity }),
    }),
  )
  .map(({ rest, ...given }) => ({ ...given, ...rest }));
const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('apply' as const), name, spec, dry: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), name, spec }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('patch' as const), name, spec }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('both' as const),
      specs: fc.tuple(spec, spec),
      partial: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(one: Step): Promise<Reply> {
  switch (one.do) {
    case 'apply': {
      const query = one.dry ? '?dryRun=true' : '';
      return api.call('POST', `/v1/apply${query}`, serviceText(one.name, one.spec));
    }
    case 'put':
      return api.object('PUT', `svc/${one.name}`, serviceText(one.name, one.spec));
    case 'patch': {
      const patch = JSON.stringify({ spec: one.spec });
      return api.object('PATCH', `svc/${one.name}`, patch, 'application/merge-patch+json');
    }
    case 'delete':
      return api.object('DELETE', `svc/${one.name}`);
    default: {
      const text = one.specs.map((own, i) => serviceText(NAMES[i] ?? '', own)).join('\n---\n');
      return api.call('POST', `/v1/apply?partial=${one.partial}`, text);
    }
  }
}

interface Spec {
  readonly type: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: string[];
  readonly allocateLoadBalancerNodePorts?: boolean;
  readonly externalTrafficPolicy?: string;
  readonly healthCheckNodePort?: number;
  readonly ports?: { port: number; protocol: string; nodePort?: number }[];
}

/** What holds of every service, whatever was done before. */
function checkWhole(objects: readonly ManifestObject[]): void {
  const owners = new Map<string, string>();
  const own = (number: string, owner: string) => {
    expect(owners.get(number) ?? owner, `${number} has two owners`).toBe(owner);
    owners.set(number, owner);
  };
  for (const { metadata, spec: given } of objects) {
    const { type, clusterIP, clusterIPs = [], ports = [], ...rest } = given as Spec;
    if (type === 'ExternalName') expect([clusterIP, clusterIPs]).toEqual([undefined, []]);
    else expect(clusterIPs).toEqual([clusterIP]);
    if (type !== 'ClusterIP') expect(clusterIP).not.toBe('None');
    if (clusterIP !== undefined && clusterIP !== 'None') own(clusterIP, metadata.name);
    const needs =
      type === 'NodePort' || (type === 'LoadBalancer' && rest.allocateLoadBalancerNodePorts);
    const seen = new Set<string>();
    for (const { nodePort, protocol } of ports) {
      if (needs === true) expect(nodePort).toBeGreaterThanOrEqual(30_000);
      if (type === 'ClusterIP' || type === 'ExternalName') expect(nodePort).toBeUndefined();
      if (nodePort === undefined) continue;
      own(String(nodePort), metadata.name);
      expect(seen.has(`${protocol} ${nodePort}`)).toBe(false);
      seen.add(`${protocol} ${nodePort}`);
    }
    const isLocal = type === 'LoadBalancer' && rest.externalTrafficPolicy === 'Local';
    expect(rest.healthCheckNodePort !== undefined).toBe(isLocal);
    if (rest.healthCheckNodePort !== undefined)
      own(String(rest.healthCheckNodePort), metadata.name);
  }
}

test('whatever is declared after whatever, services are whole, their numbers their own, and what is shown can be put back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12, size: 'max' }), async (steps) => {
      for (const one of NAMES) await api.object('DELETE', `svc/${one}`);
      for (const one of steps) {
        const { status } = await take(one);
        expect([200, 404, 409, 422]).toContain(status);
        const objects = await api.list('svc');
        checkWhole(objects.filter(({ metadata }) => metadata.name !== 'rollcall'));
      }
      for (const object of await api.list('svc')) {
        const text = JSON.stringify(object);
        const { status, body } = await api.object('PUT', `svc/${object.metadata.name}`, text);
        expect(status).toBe(200);
        expect((body as ManifestObject)['spec']).toEqual(object['spec']);
      }
    }),
    { numRuns: 40 },
  );
}, 300_000);
