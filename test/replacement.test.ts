import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { freeNodePort, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Load } from './support/load.ts';
import { Stack } from './support/stack.ts';

const NAMES = ['web-1', 'web-2', 'web-3'];

let stack: Stack;
let loads: Load[];
beforeEach(() => {
  stack = new Stack();
  loads = [];
});
afterEach(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await stack.close();
});

/** One request over a connection of its own. */
function read(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, agent: false, timeout: 5_000 }, (response) => {
      void text(response).then((body) => resolve(body.trim()), reject);
    });
    request.once('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.once('error', reject);
  });
}

test('G8: every instance is replaced under load through cluster IP, node port and name, and no request fails', async () => {
  // Other tests of this machine have the addresses of the default.
  const { url } = await stack.registry(['--service-cidr', '127.88.0.0/16', '--warm-up-ms', '0']);
  const { dnsPort } = await stack.planes(url);
  const rollcall = stack.client([url]);
  const manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      type: 'NodePort',
      selector: { app: 'web' },
      ports: [{ port: 8080, targetPort: 80, nodePort: await freeNodePort() }],
    },
  };
  const { results } = await rollcall.call('apply', { body: JSON.stringify(manifest) });
  const spec = results[0]?.object?.['spec'] as {
    clusterIP: string;
    ports: { nodePort: number }[];
  };
  const nodePort = spec.ports[0]?.nodePort ?? 0;
  const olds = await Promise.all(NAMES.map((name) => stack.web(name, url)));
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  const ways: Readonly<Record<string, () => Promise<string>>> = {
    'cluster IP': () => read(spec.clusterIP, 8080),
    'node port': () => read('127.0.0.1', nodePort),
    name: async () => {
      const [address = ''] = await resolver.resolve4('web.default.svc.cluster.local');
      return read(address, 8080);
    },
  };
  for (const call of Object.values(ways)) await until(call, { withinMs: 20_000 });
  const running = Object.entries(ways).map(([way, call]) => {
    const load = new Load(call, { concurrency: 4 });
    loads.push(load);
    return [way, load] as const;
  });
  for (const [i, old] of olds.entries()) {
    const fresh = `web-${i + 4}`;
    await stack.web(fresh, url);
    for (const [, load] of running) await until(() => load.lastBy(fresh) > 0);
    expect(await old.stop('SIGTERM')).toBe(0);
    const goneAt = performance.now();
    for (const [, load] of running) await until(() => load.bySince(goneAt).size === 3);
  }
  // An answer of the last one may still be on its way when its process has ended.
  for (const [way, load] of running) {
    const isOnlyNew = () => {
      const last = new Set(load.answers.slice(-60).map(({ by }) => by));
      return [...last].toSorted().join() === 'web-4,web-5,web-6';
    };
    await until(isOnlyNew, { what: `answers of the new ones alone by ${way}` });
  }
  await Promise.all(loads.map((load) => load.stop()));
  for (const [way, { answers, failures }] of running) {
    expect(failures, way).toEqual([]);
    expect(answers.length, way).toBeGreaterThan(100);
  }
}, 180_000);
