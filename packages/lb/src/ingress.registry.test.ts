import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { expect, onTestFinished, test } from 'vitest';
import { RawClient } from '@rollcall/dataplane/testing';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { getOver, openTls } from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';
import { FileBench, type FileParts, startTarget } from './testing/file-bench.ts';

const WAIT = { timeout: 30_000 };

async function startRegistry() {
  const registry = await startTestServer();
  onTestFinished(() => registry.close());
  const client = new Rollcall({ url: registry.url });
  onTestFinished(() => client.close());
  return { registry, client };
}

/** An instance of a service that answers with the service's name. */
async function startService(client: Rollcall, service: string): Promise<void> {
  const port = await startTarget(service);
  await client.register({ service, port, address: '127.0.0.1', signals: false });
}

const service = (name: string, port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: 'web', port, targetPort: 'http' }] },
});

type Paths = readonly (readonly [path: string, service: string, port: object])[];

const ingress = (name: string, host: string, paths: Paths, more: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    rules: [
      {
        host,
        http: {
          paths: paths.map(([path, backend, port]) => {
            return { path, pathType: 'Prefix', backend: { service: { name: backend, port } } };
          }),
        },
      },
    ],
    ...more,
  },
});

const apply = (client: Rollcall, ...objects: object[]) =>
  client.call('apply', {
    body: objects.map((object) => JSON.stringify(object)).join('\n---\n'),
  });

const remove = (client: Rollcall, name: string) =>
  client.call('deleteManifest', { params: { ns: 'default', kind: 'Ingress', name } });

const partsFor = (url: string, rest = '', more = ''): FileParts => ({
  listeners: `[{ name: web, port: 0${rest} }, { name: other, port: 0 }]`,
  more: `registry: { url: "${url}" }\ningress: { listener: web }\n${more}`,
});

/** `status body` of a request to a host; of an error only the code in its problem document. */
async function ask(bench: FileBench, host: string, path: string, listener = 'web') {
  const client = await RawClient.connect(bench.port(listener));
  client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await client.until(() => client.isEnded || client.isClosed);
  const [head = '', body = ''] = client.text.split('\r\n\r\n');
  const [, status = ''] = head.split(' ');
  const [, code = body] = /"code":"(\w+)"/.exec(body) ?? [];
  return `${status} ${code}`;
}

test.each([
  ['in one process', ''],
  ['with workers', 'workers: 2'],
])('an Ingress is applied, changed and deleted, %s', async (_where, more) => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  await startService(client, 'stock');
  const bench = await FileBench.start(partsFor(registry.url, '', more));
  expect(await ask(bench, 'shop.test', '/orders')).toBe('404 no_rule');
  await apply(client, service('orders', 80), service('stock', 8080));
  await apply(
    client,
    ingress('shop', 'shop.test', [
      ['/orders', 'orders', { number: 80 }],
      ['/absent', 'absent', { number: 80 }],
      ['/wrong', 'orders', { number: 81 }],
      ['/named', 'stock', { name: 'web' }],
    ]),
  );
  await expect.poll(() => ask(bench, 'shop.test', '/orders/1'), WAIT).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/named')).toBe('200 stock');
  expect(await ask(bench, 'shop.test', '/absent')).toBe('503 no_targets');
  expect(await ask(bench, 'shop.test', '/wrong')).toBe('503 no_targets');
  expect(await ask(bench, 'shop.test', '/ordersx')).toBe('404 no_rule');
  expect(await ask(bench, 'shop.test', '/orders', 'other')).toBe('404 no_rule');
  expect(await bench.readyz()).toMatchObject({ status: 'ready' });
  // Another port of the same service.
  await apply(client, service('orders', 81));
  await expect.poll(() => ask(bench, 'shop.test', '/wrong'), WAIT).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/orders')).toBe('503 no_targets');
  await apply(client, ingress('shop', 'new.test', [['/', 'stock', { number: 8080 }]]));
  await expect.poll(() => ask(bench, 'new.test', '/x'), WAIT).toBe('200 stock');
  expect(await ask(bench, 'shop.test', '/orders')).toBe('404 no_rule');
  await remove(client, 'shop');
  await expect.poll(() => ask(bench, 'new.test', '/x'), WAIT).toBe('404 no_rule');
  expect(bench.lines.join('\n')).not.toContain('refused');
});

/** What `get ingress` shows as ADDRESS, with the ports. */
async function shownAt(client: Rollcall, name: string): Promise<unknown> {
  const params = { ns: 'default', kind: 'Ingress', name };
  const { status } = (await client.call('readManifest', { params })) as {
    status?: { loadBalancer: { ingress?: { ip: string; ports: { port: number }[] }[] } };
  };
  return (status?.loadBalancer.ingress ?? []).map(
    ({ ip, ports }) => `${ip}:${ports.map(({ port }) => port).join()}`,
  );
}

test.each([
  ['one process', ''],
  ['workers', 'workers: 2'],
])('its status has the addresses of the balancers that route by it: %s', async (_what, more) => {
  const { registry, client } = await startRegistry();
  const to = [['/', 'orders', { name: 'http' }]] as const;
  await apply(client, ingress('shop', 'shop.test', to));
  await apply(client, ingress('else', 'else.test', to, { ingressClassName: 'else' }));
  const first = await FileBench.start(partsFor(registry.url, '', more));
  const own = `127.0.0.1:${first.port()}`;
  await expect.poll(() => shownAt(client, 'shop'), WAIT).toEqual([own]);
  const second = await FileBench.start({
    listeners: '[{ name: web, port: 0, host: 127.0.0.2 }]',
    more: `registry: { url: "${registry.url}" }\ningress: { listener: web, addresses: [127.0.0.1, 127.0.0.9] }`,
  });
  const ports = [first.port(), second.port()].toSorted((a, b) => a - b);
  const both = [`127.0.0.1:${ports.join()}`, `127.0.0.9:${second.port()}`];
  await expect.poll(() => shownAt(client, 'shop'), WAIT).toEqual(both);
  expect(await shownAt(client, 'else')).toEqual([]);
  // A reporter each, and not one for each worker.
  const { events } = await client.call('events', { query: { service: 'shop' } });
  const reporters = events.flatMap(
    ({ reason }) => /^Ingress shop: (\S+): /.exec(reason)?.[1] ?? [],
  );
  expect(new Set(reporters).size).toBe(2);
  await second.balancer.close();
  expect(await shownAt(client, 'shop')).toEqual([own]);
  const { listeners, more: settings } = partsFor(registry.url, '', more);
  const none = settings!.replace('listener: web', 'listener: web, class: none, isDefault: false');
  expect(await first.apply({ listeners, more: none })).not.toHaveProperty('errors');
  await expect.poll(() => shownAt(client, 'shop'), WAIT).toEqual([]);
});

test('while a successor takes over, the Ingress is never without an address', async () => {
  const { registry, client } = await startRegistry();
  await apply(client, ingress('shop', 'shop.test', [['/', 'orders', { name: 'http' }]]));
  const first = await FileBench.start(partsFor(registry.url));
  await expect.poll(() => shownAt(client, 'shop'), WAIT).toEqual([`127.0.0.1:${first.port()}`]);
  const second = await FileBench.start(partsFor(registry.url));
  const retired = first.balancer.retire();
  const seen: unknown[] = [];
  const lookAgain = async () => {
    seen.push(await shownAt(client, 'shop'));
    return seen.at(-1);
  };
  await expect.poll(lookAgain, WAIT).toEqual([`127.0.0.1:${second.port()}`]);
  await retired;
  expect(seen).not.toContainEqual([]);
});

test('a declared class decides whose its Ingresses are, and a new one may get it', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  const ingressClass = (name: string, controller: string, isDefault: boolean) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: {
      name,
      annotations: { 'ingressclass.kubernetes.io/is-default-class': String(isDefault) },
    },
    spec: { controller },
  });
  const to = [['/', 'orders', { name: 'http' }]] as const;
  await apply(client, ingressClass('inside', 'rollcall.dev/ingress', true));
  await apply(client, ingressClass('nginx', 'k8s.io/ingress-nginx', false));
  await apply(client, ingress('a', 'a.test', to));
  await apply(client, ingress('b', 'b.test', to, { ingressClassName: 'nginx' }));
  const { listeners, more } = partsFor(registry.url);
  const bench = await FileBench.start(partsFor(registry.url));
  expect(await ask(bench, 'a.test', '/')).toBe('200 orders');
  expect(await ask(bench, 'b.test', '/')).toBe('404 no_rule');
  const other = more!.replace('listener: web', 'listener: web, class: nginx');
  expect(await bench.apply({ listeners, more: other })).not.toHaveProperty('errors');
  expect(await ask(bench, 'a.test', '/')).toBe('404 no_rule');
  expect(bench.lines).toContain(
    'Ingresses of class nginx are not used: its IngressClass names the controller k8s.io/ingress-nginx, this balancer is rollcall.dev/ingress',
  );
  const controller = 'class: nginx, controller: k8s.io/ingress-nginx';
  const own = more!.replace('listener: web', `listener: web, ${controller}`);
  expect(await bench.apply({ listeners, more: own })).not.toHaveProperty('errors');
  expect(await ask(bench, 'b.test', '/')).toBe('200 orders');
});

test('rules of the file go first, and a reload keeps what the Ingresses add', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  const to = (path: string) => [[path, 'orders', { name: 'http' }]] as const;
  await apply(
    client,
    ingress('shop', 'shop.test', to('/a')),
    ingress('more', 'shop.test', to('/b')),
  );
  const fixed = (path: string, status: number) =>
    `{ host: shop.test, path: { prefix: ${path} }, fixedResponse: { status: ${status}, body: file } }`;
  const bench = await FileBench.start(partsFor(registry.url, `, rules: [${fixed('/a', 200)}]`));
  // They are known when it begins to listen.
  expect(await ask(bench, 'shop.test', '/b')).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/a')).toBe('200 file');
  const reloaded = await bench.apply(partsFor(registry.url, `, rules: [${fixed('/b/c', 202)}]`));
  expect(reloaded).toEqual({ result: 'applied', changes: ['listener web changed'] });
  expect(await ask(bench, 'shop.test', '/a')).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/b')).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/b/c')).toBe('202 file');
  // Another listener, and then none.
  const { listeners, more } = partsFor(registry.url);
  const other = more!.replace('listener: web', 'listener: [other]');
  expect(await bench.apply({ listeners, more: other })).not.toHaveProperty('errors');
  expect(await ask(bench, 'shop.test', '/b', 'other')).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/b')).toBe('404 no_rule');
  const none = more!.replace(/ingress: .*\n/, '');
  expect(await bench.apply({ listeners, more: none })).not.toHaveProperty('errors');
  expect(await ask(bench, 'shop.test', '/b', 'other')).toBe('404 no_rule');
});

test('what changes during a reload is not lost', async () => {
  const { registry, client } = await startRegistry();
  const orders = new FakeSource([endpoint(await startTarget('orders'))]);
  // Nobody knows its targets, so that the reload takes a second.
  const late = new FakeSource();
  await apply(client, ingress('shop', 'shop.test', [['/', 'orders', { number: 80 }]]));
  const parts = partsFor(registry.url);
  const bench = await FileBench.start(parts, {
    openSource: (group) => (group.service === 'late' ? late : orders),
  });
  const groups = () => bench.balancer.groups.map(({ name }) => name);
  await expect.poll(groups, WAIT).toEqual(['ingress/default/orders:80']);
  const reloading = bench.apply({ ...parts, targetGroups: '{ late: { service: late } }' });
  await apply(client, service('orders', 80));
  expect(await reloading).toMatchObject({ result: 'applied' });
  await expect.poll(groups, WAIT).toEqual(['late', 'ingress/default/orders:web']);
});

test('two for the same host and path: the older one is used, and the log says so once', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  await startService(client, 'stock');
  const bench = await FileBench.start(partsFor(registry.url));
  await apply(client, ingress('a', 'shop.test', [['/', 'orders', { name: 'http' }]]));
  await expect.poll(() => ask(bench, 'shop.test', '/'), WAIT).toBe('200 orders');
  await apply(client, ingress('b', 'shop.test', [['/', 'stock', { name: 'http' }]]));
  const note =
    'Ingress default/b rules[0].paths[0] is not used: Ingress default/a has shop.test and prefix path / already';
  await expect.poll(() => bench.lines, WAIT).toContain(note);
  await apply(client, ingress('c', 'more.test', [['/', 'stock', { name: 'http' }]]));
  await expect.poll(() => ask(bench, 'more.test', '/'), WAIT).toBe('200 stock');
  expect(await ask(bench, 'shop.test', '/')).toBe('200 orders');
  expect(bench.lines.filter((line) => line === note)).toHaveLength(1);
  await remove(client, 'a');
  await expect.poll(() => ask(bench, 'shop.test', '/'), WAIT).toBe('200 stock');
});

test('a registry that is away leaves the last known ones in use, and until the first it says 503', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  await apply(client, ingress('shop', 'shop.test', [['/', 'orders', { name: 'http' }]]));
  const bench = await FileBench.start(partsFor('http://127.0.0.1:1'));
  expect(await ask(bench, 'shop.test', '/')).toBe(
    '503 the routes of this listener are not known yet\n',
  );
  expect(await bench.readyz()).toMatchObject({ status: 'waiting', waitingFor: ['ingress'] });
  expect(await bench.apply(partsFor(registry.url))).not.toHaveProperty('errors');
  await expect.poll(() => ask(bench, 'shop.test', '/'), WAIT).toBe('200 orders');
  await registry.close();
  await expect.poll(() => bench.readyz(), WAIT).toMatchObject({ status: 'degraded' });
  expect(await ask(bench, 'shop.test', '/')).toBe('200 orders');
  const changed = partsFor('http://127.0.0.1:1', ', default: { redirect: https }');
  expect(await bench.apply(changed)).not.toHaveProperty('errors');
  expect(await ask(bench, 'shop.test', '/')).toBe('200 orders');
});

test('hosts of spec.tls are served with the certificates of the listener, and the log says with which', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  const files = new TlsFiles();
  const { cert, key } = files.issue('shop', { names: ['*.shop.test'] }).files;
  const tls = { tls: [{ hosts: ['a.shop.test', 'b.test'], secretName: 'own' }] };
  const object = ingress('shop', 'a.test', [['/', 'orders', { name: 'http' }]], tls);
  const { results } = await apply(client, object);
  expect(results[0]!.warnings).toEqual([
    "spec.tls[0].secretName: this registry keeps no Secrets; the balancer's listener has the certificates",
  ]);
  const bench = await FileBench.start(
    partsFor(
      registry.url,
      `, protocol: https, tls: { certificates: [{ cert: ${cert}, key: ${key} }] }`,
    ),
  );
  const ca = files.authority.cert;
  const socket = await openTls(bench.port(), { ca, servername: 'a.shop.test' });
  expect(await getOver(socket)).toContain('orders');
  expect(bench.lines).toContain(
    'Ingress default/shop: a.shop.test is served with the certificate *.shop.test of listener web',
  );
  expect(bench.lines).toContain(
    'Ingress default/shop: no certificate of listener web is for b.test',
  );
});

test('a listener that there is not is refused', async () => {
  const bench = await FileBench.start({ listeners: '[{ name: web, port: 0 }]' });
  const refused = await bench.apply({
    listeners: '[{ name: web, port: 0 }]',
    more: 'ingress: { listener: [web, wbe] }',
  });
  expect(JSON.stringify(refused)).toContain(
    'ingress.listener[1]: no such listener, got \\"wbe\\", expected one of web',
  );
});

test('an HTTPRoute is applied, changed and deleted', async () => {
  const { registry, client } = await startRegistry();
  await startService(client, 'orders');
  await startService(client, 'stock');
  const bench = await FileBench.start(partsFor(registry.url));
  await apply(client, service('orders', 80), service('stock', 8080));
  const route = (hostname: string, more: object = {}) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop' },
    spec: {
      parentRefs: [{ name: 'rollcall', ...more }],
      hostnames: [hostname],
      rules: [
        { backendRefs: [{ name: 'orders', port: 80 }] },
        {
          matches: [{ path: { value: '/stock' }, headers: [{ name: 'Host', value: hostname }] }],
          backendRefs: [{ name: 'stock', port: 8080 }],
        },
        {
          matches: [{ path: { value: '/away' } }],
          filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'new.test' } }],
        },
      ],
    },
  });
  await apply(client, route('shop.test'));
  await expect.poll(() => ask(bench, 'shop.test', '/orders/1'), WAIT).toBe('200 orders');
  expect(await ask(bench, 'shop.test', '/stock/7')).toBe('200 stock');
  expect(await ask(bench, 'shop.test', '/away')).toBe('302 redirect');
  expect(await ask(bench, 'other.test', '/')).toBe('404 no_rule');
  await apply(client, route('shop.test', { sectionName: 'other' }));
  await expect.poll(() => ask(bench, 'shop.test', '/'), WAIT).toBe('404 no_rule');
  await client.call('deleteManifest', {
    params: { ns: 'default', kind: 'HTTPRoute', name: 'shop' },
  });
  const { items } = await client.call('listManifests', {
    params: { ns: '*', kind: 'httproutes' },
  });
  expect(items).toEqual([]);
});
