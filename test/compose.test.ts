import { existsSync, readFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { request } from 'undici';
import { LocalCompose, readCompose } from './support/compose.ts';
import { composeErrors } from './support/compose-schema.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const FILES: Readonly<Record<string, readonly string[]>> = {
  'docker-compose.yml': [
    'redis',
    'registry-1',
    'registry-2',
    'lb',
    'node-proxy',
    'dns',
    'manifests',
    'rollcall',
    'hello-1',
    'hello-2',
    'hello-3',
    'caller',
  ],
  'examples/compose-app/docker-compose.yml': [
    'redis',
    'registry',
    'lb',
    'shop',
    'catalog-1',
    'catalog-2',
    'stock',
    'rollcall',
  ],
};

describe.each(Object.entries(FILES))('%s', (file, names) => {
  const compose = readCompose(join(root, file));
  const services = Object.entries(compose.services);

  test('fits the compose specification', () => {
    expect(composeErrors(compose)).toEqual([]);
    expect(composeErrors({ services: { redis: { imge: 'x' } } })).not.toEqual([]);
  });

  test('has its topology', () => {
    expect(Object.keys(compose.services)).toEqual(names);
  });

  test('each runs read-only, without rights, and is published on loopback alone', () => {
    for (const [name, service] of services) {
      expect(service.read_only, name).toBe(true);
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
      for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      if (service.image !== 'rollcall/rollcall') expect(service.user, name).toBeDefined();
    }
  });

  test('instances of one service have ids of their own', () => {
    const ids = services.flatMap(([, { environment = {} }]) => {
      return environment['HELLO_ID'] ?? environment['INSTANCE'] ?? [];
    });
    expect(ids.length).toBeGreaterThan(2);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('the image is multi-stage, without rights, with a health check', () => {
  const { services } = readCompose(join(root, 'docker-compose.yml'));
  for (const [name, { build, healthcheck }] of Object.entries(services)) {
    if (build === undefined) {
      expect(healthcheck, name).toBeDefined();
      continue;
    }
    const file = join(root, build.dockerfile);
    expect(existsSync(file), file).toBe(true);
    const dockerfile = readFileSync(file, 'utf8');
    expect(dockerfile.match(/^FROM /gm), file).toHaveLength(2);
    expect(dockerfile, file).toMatch(/^USER node$/m);
    expect(dockerfile, file).toMatch(/^HEALTHCHECK /m);
  }
});

describe('the topology of docker-compose.yml from its commands', () => {
  const registries = ['registry-1', 'registry-2'];
  const instances = ['hello-1', 'hello-2', 'hello-3'];
  let stack: LocalCompose;

  beforeAll(async () => {
    stack = await LocalCompose.open(join(root, 'docker-compose.yml'), [
      'redis:6379',
      ...registries.map((name) => `${name}:7400`),
      ...instances.map((name) => `${name}:3000`),
      'lb:8080',
      'lb:7480',
      'dns:8053',
    ]);
    await stack.startRedis('redis');
    // Other stacks of this machine have the default's addresses.
    for (const name of registries) stack.start(name, ['--service-cidr', '127.89.0.0/16']);
    for (const name of registries) {
      await until(async () => (await fetch(`${stack.url(`${name}:7400`)}/readyz?for=writes`)).ok);
    }
    for (const name of instances) stack.start(name);
  }, 60_000);
  afterAll(() => stack.close());

  /** The service is declared, its node port answers, its name leads to its address, and the command shows it. */
  async function servesDeclared(): Promise<void> {
    const declaring = stack.start('manifests');
    await declaring.printed(/service\/hello created/);
    stack.start('node-proxy', ['--metrics', 'off']);
    stack.start('dns', ['--metrics', 'off']);
    await until(async () => (await fetch('http://127.0.0.1:30080/')).ok, { withinMs: 20_000 });
    const resolver = new Resolver();
    resolver.setServers([stack.url('dns:8053').slice('http://'.length)]);
    const name = 'hello.default.svc.cluster.local';
    const [address = ''] = await until(() => resolver.resolve4(name), { withinMs: 20_000 });
    expect(address).toMatch(/^127\.89\./);
    const describing = stack.start('rollcall', ['describe', 'svc', 'hello']);
    await describing.printed(/NodePortBound +True +Bound +node-proxy\.compose/);
  }

  test('serves through the balancer and to the client, with the tokens of the file', async () => {
    stack.start('lb');
    const seen = new Set<string>();
    await until(
      async () => {
        const response = await fetch(stack.url('lb:8080'));
        if (response.ok) seen.add((await response.text()).trim());
        return seen.size === 3;
      },
      { withinMs: 30_000, what: 'three instances through the balancer' },
    );
    expect([...seen].toSorted()).toEqual(instances.map((name) => `hello from ${name}`));
    const caller = stack.start('caller');
    await caller.printed(/"answered":[1-9]\d*,"failed":0/);
    await servesDeclared();
    const bare = await fetch(`${stack.url('registry-1:7400')}/v1/namespaces/default/services`);
    expect(bare.status).toBe(401);
    // As Prometheus asks from within the compose network; a name of somebody else's is refused.
    for (const listening of ['registry-1:7400', 'registry-2:7400', 'lb:7480']) {
      const ask = async (host: string) =>
        (await request(`${stack.url(listening)}/metrics`, { headers: { host } })).statusCode;
      expect([await ask(listening), await ask('evil.example')], listening).toEqual([200, 421]);
    }
  }, 60_000);
});
