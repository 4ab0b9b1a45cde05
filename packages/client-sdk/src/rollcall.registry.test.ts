import { startTestServer } from '@rollcall/registry-server/testing';
import { freePort, until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { RollcallError } from './base/error.ts';
import { Rollcall } from './rollcall.ts';
import { countingProxy } from './testing/counting-proxy.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let rollcall: Rollcall;
beforeEach(async () => {
  server = await startTestServer();
  rollcall = new Rollcall({ url: server.url });
});
afterEach(async () => {
  await rollcall.close();
  await server.close();
});

const manifest = (name: string, spec: object, namespace = 'default') =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec });
const NGINX = { selector: { app: 'nginx' }, ports: [{ port: 8080, targetPort: 80 }] };

test('a catalog follows declared and implicit services of every namespace as they come, change and go', async () => {
  const catalog = rollcall.catalog();
  await catalog.ready();
  const one = await rollcall.register({
    service: 'nginx',
    id: 'a',
    port: 3001,
    address: '127.0.0.1',
    labels: { app: 'nginx' },
  });
  await until(() => catalog.service('default', 'nginx')?.endpoints.length === 1);
  expect(catalog.service('default', 'nginx')).toMatchObject({ declared: null });
  const body = `${manifest('nginx', NGINX)}\n---\n${manifest('far', NGINX, 'other')}`;
  const { results } = await rollcall.call('apply', { body });
  expect(results.map(({ action }) => action)).toEqual(['created', 'created']);
  await until(() => catalog.service('default', 'nginx')?.declared);
  expect(catalog.service('default', 'nginx')).toMatchObject({
    declared: { type: 'ClusterIP', ports: [{ port: 8080, targetPort: 80 }] },
    endpoints: [{ instance: 'a', port: 80, portName: '' }],
  });
  await until(() => catalog.service('other', 'far')?.declared);
  await rollcall.call('deleteManifest', { params: { ns: 'other', kind: 'svc', name: 'far' } });
  await until(() => catalog.service('other', 'far') === undefined);
  await one.deregister();
  await until(() => catalog.service('default', 'nginx')?.endpoints.length === 0);
  expect(catalog.service('default', 'nginx')?.declared).not.toBeNull();
  const names = [...catalog.services()].map(({ service }) => service);
  expect(names.toSorted()).toEqual(['nginx', 'rollcall']);
});

test('what is reported of a service stands in it until it is withdrawn', async () => {
  const catalog = rollcall.catalog({ namespace: 'default' });
  const ingress = () => catalog.service('default', 'lb')?.declared?.loadBalancerIPs ?? [];
  await rollcall.call('apply', { body: manifest('lb', { ...NGINX, type: 'LoadBalancer' }) });
  await rollcall.report('lb', 'here', { loadBalancer: [{ ip: '127.0.0.9' }] });
  await until(() => ingress()[0] === '127.0.0.9');
  await rollcall.withdrawReport('lb', 'here');
  await until(() => ingress().length === 0);
  await rollcall.withdrawReport('lb', 'here');
  await expect(rollcall.report('nobody', 'here', {})).rejects.toMatchObject({
    code: 'service_not_found',
  });
  await expect(rollcall.report('lb', 'here', { forMs: 1 })).rejects.toMatchObject({
    code: 'invalid_options',
    field: 'forMs',
  });
});

test('a refused manifest rejects with its faults', async () => {
  const wrong = manifest('bad', { ports: [{ port: 80, nodePort: 32_768 }], type: 'NodePort' });
  const error = await rollcall.call('apply', { body: wrong }).then(
    () => undefined,
    (reason: unknown) => reason as RollcallError,
  );
  expect(error).toMatchObject({ code: 'invalid_manifest', field: 'spec.ports[0].nodePort' });
  expect(error?.faults).toMatchObject([{ object: 'Service "bad"', line: 1 }]);
});

test('what creates is sent on to the next server where the first cannot have begun with it', async () => {
  const dead = `http://127.0.0.1:${await freePort()}`;
  for (let i = 0; i < 6; i++) {
    // Which url comes first is a matter of chance.
    const client = new Rollcall({ url: [dead, server.url] });
    const query = { mode: 'create' } as const;
    const { results } = await client.call('apply', { query, body: manifest(`s${i}`, NGINX) });
    expect(results[0]?.action).toBe('created');
    await client.close();
  }
});

test('500 services taken up one after another: one stream, and no more bytes than they have', async () => {
  const path = (name: string) => `${server.url}/v1/namespaces/default/services/${name}/instances/a`;
  const names = Array.from({ length: 500 }, (_, i) => `service-${i}`);
  for (const name of names) {
    // Longer than all of them take on a busy machine: nobody renews.
    const body = JSON.stringify({ address: '127.0.0.1', ports: { http: 3000 }, ttlMs: 300_000 });
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(path(name), { method: 'PUT', headers, body });
    expect(status).toBe(200);
  }
  const counted = await countingProxy(server.url);
  onTestFinished(() => counted.close());
  const client = new Rollcall({ url: counted.url });
  onTestFinished(() => client.close());
  for (const name of names) await client.service(name).ready({ endpoints: 0 });
  expect(client.service('service-499').endpoints()).toMatchObject([{ instance: 'a' }]);
  expect(counted.streams).toBe(1);
  expect(counted.bytes).toBeLessThan(2_000_000);
});

test('a catalog and services share one stream, whichever comes first', async () => {
  const counted = await countingProxy(server.url);
  onTestFinished(() => counted.close());
  for (const isCatalogFirst of [true, false]) {
    const before = counted.streams;
    const client = new Rollcall({ url: counted.url });
    const catalog = () => client.catalog({ namespace: 'default' });
    const service = () => client.service('rollcall');
    const all = isCatalogFirst ? catalog() : undefined;
    await all?.ready();
    const one = service();
    await one.ready({ endpoints: 0 });
    const late = all ?? catalog();
    await late.ready();
    expect(late.service('default', 'rollcall')?.endpoints).toEqual(one.endpoints());
    const name = isCatalogFirst ? 'first' : 'second';
    const nobody = client.service(name);
    await nobody.ready({ endpoints: 0 });
    expect(nobody.endpoints()).toEqual([]);
    expect(late.service('default', name)).toBeUndefined();
    await rollcall.register({ service: name, id: 'a', port: 1, address: '127.0.0.1' });
    await until(() => nobody.endpoints().length > 0 && late.service('default', name));
    late.close();
    await rollcall.register({ service: 'more', id: name, port: 1, address: '127.0.0.1' });
    const more = client.service('more');
    await more.ready({ endpoints: 0 });
    expect(more.endpoints().length).toBeGreaterThan(0);
    expect(counted.streams - before).toBe(1);
    await client.close();
  }
});
