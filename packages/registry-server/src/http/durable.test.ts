import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@rollcall/testkit';
import { afterEach, describe, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

const ADMIN = 'admin-token-0123456789';
const READER = 'reader-token-0123456789';

const servers: RegistryServer[] = [];
const folders: string[] = [];
let prefixes = 0;

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const STORES = {
  memory: () => [],
  file: () => {
    const folder = mkdtempSync(join(tmpdir(), 'registry-import-'));
    folders.push(folder);
    return [`--store=file:${join(folder, 'roll.json')}`];
  },
  redis: () => {
    const prefix = `import-${process.pid}-${prefixes++}`;
    return [`--store=${inject('redisUrl')}`, `--store-prefix=${prefix}`];
  },
} satisfies Record<string, () => string[]>;
type StoreName = keyof typeof STORES;

async function start(store: StoreName = 'memory', ...flags: string[]): Promise<RegistryServer> {
  const server = await startTestServer(...STORES[store](), ...flags);
  servers.push(server);
  await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
  return server;
}

interface Item {
  readonly item: string;
  readonly outcome: string;
}
interface Said {
  readonly status: number;
  readonly code?: string;
  readonly message: string;
  readonly items?: Item[];
}

async function send(
  { url }: RegistryServer,
  method: string,
  path: string,
  body?: string | object,
): Promise<Said> {
  const isText = typeof body === 'string';
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { 'content-type': isText ? 'application/yaml' : 'application/json' },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  return { ...((await response.json()) as Said), status: response.status };
}

async function sent(...args: Parameters<typeof send>): Promise<Said> {
  const said = await send(...args);
  expect(said, said.message).toMatchObject({ status: 200 });
  return said;
}

const load = (server: RegistryServer, text: string, query = '') =>
  send(server, 'POST', `import${query}`, text);
const exported = async ({ url }: RegistryServer) => (await fetch(`${url}/v1/export`)).text();

interface Exported {
  readonly content: {
    resources: {
      key: string;
      value: string;
      claims: { number: number }[];
      revision: number;
      untilMs: number;
    }[];
    instances: { id: string; nonce: string; body: Record<string, unknown> }[];
  };
}
const contentOf = (text: string) => (JSON.parse(text) as Exported).content;

/** An export with its content changed and the checksum made right again. */
function withContent(text: string, change: (content: Exported['content']) => void): string {
  const file = JSON.parse(text) as Exported & { checksum: string };
  change(file.content);
  const digest = createHash('sha256').update(JSON.stringify(file.content)).digest('hex');
  file.checksum = `sha256:${digest}`;
  return JSON.stringify(file);
}

const service = (name: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
  });

const INSTANCE = 'namespaces/default/services/db/instances';
const PERSISTENT = {
  address: '127.0.0.1',
  ports: { pg: 5432 },
  persistent: true,
  check: { type: 'tcp', intervalMs: 60_000 },
};

/** Two services, one with a node port, an override with an end, a persistent instance and a live one. */
async function fill(server: RegistryServer): Promise<void> {
  await sent(server, 'POST', 'apply', service('nginx'));
  await sent(server, 'POST', 'apply', service('web', { type: 'NodePort' }));
  await sent(server, 'PUT', `${INSTANCE}/db1`, PERSISTENT);
  await sent(server, 'PUT', `${INSTANCE}/live`, { ports: { pg: 1 }, address: '127.0.0.1' });
  const override = { status: 'draining', author: 'ann', reason: 'disk', forMs: 3_600_000 };
  await sent(server, 'PUT', `${INSTANCE}/live/override`, override);
}

const outcomesOf = ({ items = [] }: Said) =>
  Object.fromEntries(items.map(({ item, outcome }) => [item, outcome]));
const ALL = [
  'service/default/nginx',
  'service/default/web',
  'override/default/db/live',
  'instance/default/db/db1',
];
const allAre = (outcome: string) => Object.fromEntries(ALL.map((item) => [item, outcome]));

/** What stays the same from store to store. */
function durable(text: string) {
  const { resources, instances } = contentOf(text);
  return {
    resources: resources
      .map(({ key, value, claims }) => ({ key, value, claims }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    // The status is what checks find out.
    instances: instances.map(({ id, body }) => ({ id, body: { ...body, status: '' } })),
  };
}

describe('an export goes into any store, and comes out of it as it went in', () => {
  test.each([
    ['memory', 'redis'],
    ['redis', 'file'],
    ['file', 'memory'],
  ] as const)('%s to %s', async (from, to) => {
    const one = await start(from);
    await fill(one);
    const text = await exported(one);
    const other = await start(to);
    const dry = await load(other, text, '?dryRun=true');
    expect(outcomesOf(dry)).toEqual(allAre('written'));
    expect(contentOf(await exported(other)).resources).toEqual([]);

    expect(outcomesOf(await load(other, text))).toEqual(allAre('written'));
    expect(durable(await exported(other))).toEqual(durable(text));
    // The addresses are the same, and not given to anybody else.
    const { number } = contentOf(text).resources.find(({ key }) => key.endsWith('/nginx'))!
      .claims[0]!;
    const ip = [24, 16, 8, 0].map((bits) => (number >> bits) & 255).join('.');
    const clash = await send(other, 'POST', 'apply', service('thief', { clusterIP: ip }));
    expect(clash.message).toContain('already allocated');
    // And once more changes nothing.
    expect(outcomesOf(await load(other, text))).toEqual(allAre('unchanged'));
    expect(outcomesOf(await load(one, text, '?replace=true'))).toEqual(allAre('unchanged'));
  });
});

describe('what is in the store already', () => {
  test('stays when it is newer, or was deleted since; replace says otherwise', async () => {
    const server = await start();
    await fill(server);
    const text = await exported(server);
    await sent(server, 'POST', 'apply', service('nginx', { sessionAffinity: 'ClientIP' }));
    await sent(server, 'DELETE', 'namespaces/default/manifests/services/web');
    await sent(server, 'DELETE', `${INSTANCE}/db1`);
    expect(outcomesOf(await load(server, text))).toEqual({
      'service/default/nginx': 'newer',
      'service/default/web': 'deleted',
      'override/default/db/live': 'unchanged',
      'instance/default/db/db1': 'deleted',
    });
    expect(outcomesOf(await load(server, text, '?replace=true'))).toEqual({
      ...allAre('written'),
      'override/default/db/live': 'unchanged',
    });
    expect(durable(await exported(server))).toEqual(durable(text));
  });

  test('is never a live instance’s loss', async () => {
    const server = await start();
    await fill(server);
    const text = await exported(server);
    await sent(server, 'DELETE', `${INSTANCE}/db1`);
    const live = { ports: { pg: 7 }, address: '127.0.0.1', nonce: 'a-live-process' };
    await sent(server, 'PUT', `${INSTANCE}/db1`, live);
    const said = await load(server, text, '?replace=true');
    expect(outcomesOf(said)).toMatchObject({ 'instance/default/db/db1': 'live' });
    const now = (await sent(server, 'GET', `${INSTANCE}/db1`)) as unknown as Record<
      string,
      unknown
    >;
    expect(now).toMatchObject({ persistent: false, state: 'up' });
  });

  test('an override whose time is over is not brought back', async () => {
    const server = await start();
    await fill(server);
    const ended = withContent(await exported(server), ({ resources }) => {
      const override = resources.find(({ key }) => key.startsWith('override/'));
      Object.assign(override as object, { untilMs: 1 });
    });
    expect(outcomesOf(await load(await start(), ended))).toMatchObject({
      'override/default/db/live': 'ended',
    });
  });

  test('a conflict of addresses is refused whole, and named', async () => {
    const one = await start();
    await sent(one, 'POST', 'apply', service('a', { clusterIP: '127.96.7.7' }));
    await sent(one, 'POST', 'apply', service('b'));
    const text = await exported(one);
    for (const store of ['memory', 'redis'] as const) {
      const other = await start(store);
      await sent(other, 'POST', 'apply', service('holder', { clusterIP: '127.96.7.7' }));
      const before = await exported(other);
      for (const query of ['', '?replace=true', '?dryRun=true']) {
        const refused = await load(other, text, query);
        expect(refused).toMatchObject({ status: 409, code: 'import_conflict' });
        expect(refused.message).toBe(
          'service/default/a: cluster IP 127.96.7.7 is held by service/default/holder',
        );
      }
      expect(durable(await exported(other))).toEqual(durable(before));
    }
  });

  test('addresses of another network, and too many instances, are refused whole', async () => {
    const one = await start();
    await fill(one);
    const text = await exported(one);
    const far = await start('memory', '--service-cidr=127.97.0.0/16');
    expect(await load(far, text)).toMatchObject({
      status: 409,
      code: 'import_conflict',
      message: expect.stringMatching(
        /cluster IP 127\.96\.\S+ is outside .*--service-cidr/,
      ) as string,
    });
    const open = await start('memory', '--allow-external-ip=8.8.8.0/24');
    await sent(open, 'POST', 'apply', service('dns', { externalIPs: ['8.8.8.8'] }));
    const external = await exported(open);
    expect(await load(one, external, '?dryRun=true')).toMatchObject({
      status: 409,
      code: 'import_conflict',
      message: expect.stringMatching(
        /^service\/default\/dns: spec\.externalIPs\[0\]: .*--allow-external-ip/,
      ) as string,
    });
    expect(await exported(one)).toBe(text);
    expect(outcomesOf(await load(open, external))).toEqual({ 'service/default/dns': 'unchanged' });
    await sent(open, 'DELETE', 'namespaces/default/manifests/services/dns');
    expect(outcomesOf(await load(open, external, '?replace=true'))).toEqual({
      'service/default/dns': 'written',
    });
    const full = await start('memory', '--max-instances-per-service=1');
    await sent(full, 'PUT', `${INSTANCE}/other`, { ports: { pg: 1 } });
    const refused = await load(full, text);
    expect(refused).toMatchObject({ status: 409, code: 'import_conflict' });
    expect(refused.message).toContain('--max-instances-per-service');
    expect(contentOf(await exported(full)).resources).toEqual([]);
  });
});

describe('a damaged export', () => {
  test('is refused whole: every so many bytes flipped, cut, or of another version', async () => {
    const one = await start();
    await fill(one);
    const bytes = Buffer.from(await exported(one));
    const other = await start();
    const damaged: Buffer[] = [];
    for (let at = 0; at < bytes.length - 1; at += Math.ceil(bytes.length / 150)) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 1;
      damaged.push(flipped, bytes.subarray(0, at));
    }
    for (const text of damaged) {
      const { status, code, message } = await load(other, text.toString('latin1'));
      expect([400, 422], text.toString()).toContain(status);
      expect(['invalid_export', 'invalid_request', 'malformed_json']).toContain(code);
      expect(message).toMatch(/^expected|^[a-z]+\//);
    }
    expect(damaged.length).toBeGreaterThan(200);
    const old = bytes.toString().replace('"version":1', '"version":9');
    expect((await load(other, old)).message).toBe('expected version 1, got 9');
    expect((await load(other, '')).message).toMatch(/cut short/);
    expect((await load(other, '{}')).status).toBe(422);
    expect(contentOf(await exported(other))).toEqual({ resources: [], instances: [] });
  });

  test('is refused whole when the checksum is right and a part is none of ours', async () => {
    const one = await start();
    await fill(one);
    const text = await exported(one);
    const other = await start();
    const first = ({ resources }: Exported['content']) => resources[0]!;
    const wrong: [RegExp, (content: Exported['content']) => void][] = [
      [/expected a manifest as JSON/, (content) => void (first(content).value = 'no json')],
      [/expected the manifest/, (content) => void (first(content).key = 'service/default/else')],
      [/kind of object/, (content) => void (first(content).key = 'configmap/default/else')],
      [/expected no Secrets/, (content) => void (first(content).key = 'secret/default/else')],
      [/KIND\/NAMESPACE\/NAME/, (content) => void (first(content).key += '/more')],
      [/expected it once/, (content) => void content.resources.push(first(content))],
      [/expected claims/, (content) => void (first(content).claims = [])],
      [/body|address/, (content) => void (content.instances[0]!.body['address'] = '::no::')],
      [/instance\//, (content) => void (content.instances[0]!.id = '../../etc')],
      [/weight/, (content) => void (content.instances[0]!.body['weight'] = -1)],
      [/zone/, (content) => void (content.instances[0]!.body['zone'] = 'a|b')],
      [/nonce/, (content) => void (content.instances[0]!.nonce = 'process|one')],
      [/untilMs/, (content) => void (first(content).untilMs = 0.5)],
      [/revision/, (content) => void (first(content).revision = -1)],
      [
        /spec\.ports\[0\]\.port/,
        (content) => void (first(content).value = first(content).value.replace(':80,', ':99999,')),
      ],
      [
        /status\.loadBalancer\.ingress: Forbidden: may only be used when/,
        (content) => {
          const loadBalancer = { ingress: [{ ip: '203.0.113.7' }] };
          const manifest = JSON.parse(first(content).value) as object;
          first(content).value = JSON.stringify({ ...manifest, status: { loadBalancer } });
        },
      ],
      // All of them are named, so that they can be mended at once.
      [
        /^service\/.*spec\.ports\[0\]\.port.*; instance\/.*weight/s,
        (content) => {
          first(content).value = first(content).value.replace(':80,', ':99999,');
          content.instances[0]!.body['weight'] = -1;
        },
      ],
    ];
    for (const [message, change] of wrong) {
      const said = await load(other, withContent(text, change));
      expect(said).toMatchObject({ status: 422, code: 'invalid_export' });
      expect(said.message).toMatch(message);
    }
    expect(contentOf(await exported(other))).toEqual({ resources: [], instances: [] });
  });
});

test('of very many entries at fault the first 20 are named', async () => {
  const one = await start();
  await fill(one);
  const text = withContent(await exported(one), (content) => {
    const [known] = content.resources;
    content.resources = Array.from({ length: 50 }, (_, i) => {
      return { ...known!, key: `configmap/default/n${i}` };
    });
  });
  const { message } = await load(await start(), text);
  const others = /and (\d+) more$/.exec(message)?.[1];
  expect(message.match(/configmap\//g)).toHaveLength(20);
  expect(others).toBe('30');
});

test('only an admin may, and the size has a limit of its own', async () => {
  const tokens = [`--token=${ADMIN}`, `--token=${READER}=read,report,register:*`];
  const flags = ['--max-body-bytes=1024', '--max-import-bytes=4096'];
  const server = await start('memory', ...tokens, ...flags);
  const ask = (token: string, method: string, path: string, body?: string) =>
    fetch(`${server.url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
  expect((await ask(READER, 'GET', 'export')).status).toBe(403);
  expect((await ask(READER, 'POST', 'import', '{}')).status).toBe(403);
  const text = await (await ask(ADMIN, 'GET', 'export')).text();
  expect((await ask(ADMIN, 'POST', 'import', text + ' '.repeat(2_000))).status).toBe(200);
  expect((await ask(ADMIN, 'POST', 'import', text + ' '.repeat(5_000))).status).toBe(413);
});

test('a file that cannot be written: not ready for writes, nothing is served that was refused, and none of it is there after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-full-'));
  folders.push(folder);
  const place = join(folder, 'roll');
  const flag = `--store=file:${join(place, 'roll.json')}`;
  const isWritable = async ({ url }: RegistryServer) =>
    (await fetch(`${url}/readyz?for=writes`)).ok;
  const names = async ({ url }: RegistryServer) => {
    const { items } = (await (
      await fetch(`${url}/v1/namespaces/default/manifests/services`)
    ).json()) as {
      items: { metadata: { name: string } }[];
    };
    return items.map(({ metadata }) => metadata.name).filter((name) => name !== 'rollcall');
  };
  const before = await startTestServer(flag);
  servers.push(before);
  await until(() => isWritable(before));
  await sent(before, 'POST', 'apply', service('kept'));
  // A file where the folder was: what a full disk comes to, for whoever runs this.
  renameSync(place, `${place}-away`);
  writeFileSync(place, '');
  expect(await send(before, 'POST', 'apply', service('lost'))).toMatchObject({ status: 503 });
  await until(async () => !(await isWritable(before)));
  expect((await fetch(`${before.url}/readyz`)).status).toBe(200);
  expect(await names(before)).toEqual(['kept']);
  rmSync(place);
  renameSync(`${place}-away`, place);
  await until(() => isWritable(before));
  await sent(before, 'POST', 'apply', service('later'));
  await before.close();
  servers.splice(servers.indexOf(before), 1);
  const after = await startTestServer(flag);
  servers.push(after);
  expect((await names(after)).toSorted()).toEqual(['kept', 'later']);
});
