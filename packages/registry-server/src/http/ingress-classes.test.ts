import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(() => server.close());

const classText = (name: string, isDefault = false, more: object = {}) =>
  JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: {
      name,
      ...(isDefault
        ? { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }
        : {}),
      ...more,
    },
    spec: { controller: 'rollcall.dev/ingress' },
  });

const ingressText = (name: string, spec: object = {}, annotations?: object) =>
  JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } }, ...spec },
  });

const classOf = async (name: string) =>
  specOf(await api.read(`ingress/${name}`))['ingressClassName'];

test('is in no namespace: the same one from each', async () => {
  await api.apply(classText('web', false, { namespace: 'shop' }), '?namespace=lab');
  const path = (ns: string) => `/v1/namespaces/${ns}/manifests/ingressclasses`;
  for (const ns of ['default', 'shop', '*']) {
    const { body } = await api.call('GET', path(ns));
    expect(body).toMatchObject({ items: [{ metadata: { name: 'web', namespace: '' } }] });
  }
  const again = await api.apply(classText('web', false, { namespace: 'shop' }));
  expect(again.results[0]).toMatchObject({ action: 'unchanged', namespace: '' });
  const put = await api.call('PUT', `${path('shop')}/web`, classText('web'));
  expect(put.status).toBe(200);
  const { body } = await api.call('GET', '/v1/events?service=web');
  const { events } = body as { events: object[] };
  expect(events[0]).toMatchObject({ reason: 'IngressClass web was declared' });
  expect((await api.call('DELETE', `${path('lab')}/web`)).status).toBe(200);
  expect(await api.list('ingressclasses')).toEqual([]);
});

test('its controller stays', async () => {
  await api.apply(classText('web'));
  const patch = JSON.stringify({ spec: { controller: 'else.test/x' } });
  const type = 'application/merge-patch+json';
  const { status, body } = await api.object('PATCH', 'ingressclass/web', patch, type);
  expect(status).toBe(422);
  expect(body).toMatchObject({
    message:
      'IngressClass "web": spec.controller: Invalid value: "else.test/x": field is immutable',
  });
});

test('a new Ingress without a class gets the default one, and keeps it', async () => {
  await api.apply(ingressText('before'));
  await api.apply(`${classText('web', true)}\n---\n${ingressText('same-file')}`);
  await api.apply(`${classText('other')}\n---\n${ingressText('after')}`);
  await api.apply(ingressText('own', { ingressClassName: 'other' }));
  await api.apply(ingressText('noted', {}, { 'kubernetes.io/ingress.class': 'other' }));
  // An Ingress that exists stays as it is.
  await api.apply(ingressText('before', { rules: [{ host: 'a.test' }] }));
  await api.apply(ingressText('after', { rules: [{ host: 'a.test' }] }));
  const classes = ['before', 'same-file', 'after', 'own', 'noted'].map(classOf);
  expect(await Promise.all(classes)).toEqual([undefined, 'web', 'web', 'other', undefined]);
});

test('a new Ingress gets one of two default classes, and the other one when that is gone', async () => {
  await api.apply(`${classText('a', true)}\n---\n${classText('b', true)}`);
  await api.apply(ingressText('web'));
  expect(['a', 'b']).toContain(await classOf('web'));
  await api.object('DELETE', 'ingressclass/a');
  await api.apply(ingressText('more'));
  expect(await classOf('more')).toBe('b');
});

test('an export carries it', async () => {
  await api.apply(classText('web'));
  const { body } = await api.call('GET', '/v1/export');
  await api.object('DELETE', 'ingressclass/web');
  const text = JSON.stringify(body);
  const imported = await api.call('POST', '/v1/import?replace=true', text, 'application/json');
  expect(imported).toMatchObject({ status: 200, body: { items: [{ outcome: 'written' }] } });
  expect(await api.list('ingressclass')).toHaveLength(1);
});
