import type { Problem } from '@rollcall/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, NGINX, serviceText, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer('--allow-external-ip=198.51.100.0/24');
  api = new ManifestApi(server);
});
afterEach(() => server.close());

describe('applying', () => {
  const THREE = [
    NGINX,
    serviceText('bad', { ports: [] }),
    serviceText('ok', { ports: [{ port: 1 }] }),
  ];

  test('one bad document of three applies none, unless asked', async () => {
    expect(await api.refused(THREE.join('\n---\n'))).toMatchObject({ code: 'invalid_manifest' });
    expect(await api.object('GET', 'svc/nginx')).toMatchObject({ status: 404 });
    const { results } = await api.apply(THREE.join('\n---\n'), '?partial=true');
    expect(results.map(({ action }) => action)).toEqual(['created', 'refused', 'created']);
    expect(results[1]?.faults[0]?.field).toBe('spec.ports');
  });

  test('a clash in the last document writes none of the others', async () => {
    const spec = (nodePort: number) => ({ type: 'NodePort', ports: [{ port: 80, nodePort }] });
    await api.apply(serviceText('held', spec(30_001)));
    await api.refused(
      [serviceText('a', spec(30_002)), serviceText('b', spec(30_001))].join('\n---\n'),
    );
    expect(await api.object('GET', 'svc/a')).toMatchObject({ status: 404 });
    await api.apply(serviceText('c', spec(30_002)));
  });

  test('twice is unchanged; what others set stays; what it no longer says goes', async () => {
    const labelled = (labels: object) =>
      JSON.stringify({ ...(JSON.parse(NGINX) as object), metadata: { name: 'nginx', labels } });
    expect((await api.apply(labelled({ a: '1', b: '2' }))).results[0]?.action).toBe('created');
    expect((await api.apply(labelled({ a: '1', b: '2' }))).results[0]?.action).toBe('unchanged');
    const patch = '{"metadata":{"labels":{"mine":"x"}}}';
    await api.object('PATCH', 'svc/nginx', patch, 'application/merge-patch+json');
    const { results } = await api.apply(labelled({ a: '1' }));
    expect(results[0]?.action).toBe('configured');
    expect((await api.read('svc/nginx')).metadata.labels).toEqual({ a: '1', mine: 'x' });
  });

  test('create refuses what is there, in the words of kubectl', async () => {
    await api.apply(NGINX, '?mode=create');
    const { status, body } = await api.call('POST', '/v1/apply?mode=create', NGINX);
    expect(status).toBe(409);
    expect((body as Problem).faults?.[0]?.message).toBe('services "nginx" already exists');
  });

  test('a dry run shows what would be, addresses included, and writes nothing', async () => {
    const { results } = await api.apply(NGINX, '?dryRun=true');
    expect(specOf(results[0]?.object)['clusterIP']).toMatch(/^127\.96\./);
    expect(await api.object('GET', 'svc/nginx')).toMatchObject({ status: 404 });
  });

  test('a List, JSON and several documents are taken; twins are not', async () => {
    const items = [JSON.parse(NGINX) as object, { ...(JSON.parse(THREE[2] ?? '') as object) }];
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const { status } = await api.call('POST', '/v1/apply', text, 'application/json');
    expect(status).toBe(200);
    expect(await api.refused([NGINX, NGINX].join('\n---\n'))).toMatchObject({
      message: expect.stringContaining('declared twice') as string,
    });
  });

  test('mistakes are told with line, reason and fix', async () => {
    const text = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: clusterIP
  portz:
  - port: 80
`;
    const { faults = [] } = await api.refused(text);
    expect(faults.map(({ line, field }) => [line, field])).toEqual(
      expect.arrayContaining([
        [6, 'spec.type'],
        [7, 'spec.portz'],
      ]),
    );
    expect(faults.find(({ field }) => field === 'spec.portz')?.fix).toContain('ports');
  });

  test('a body of another type is refused with what is taken', async () => {
    const { status, body } = await api.call(
      'POST',
      '/v1/apply',
      'a=b',
      'application/x-www-form-urlencoded',
    );
    expect(status).toBe(415);
    expect((body as Problem).message).toContain('application/yaml');
  });

  test('PUT minds the version that its author read', async () => {
    const path = 'Service/nginx';
    expect((await api.object('PUT', path, NGINX)).status).toBe(200);
    const stale = { ...(await api.read('svc/nginx')), spec: { ports: [{ port: 1 }] } };
    expect((await api.object('PUT', path, JSON.stringify(stale))).status).toBe(200);
    const { status, body } = await api.object('PUT', path, JSON.stringify(stale));
    expect(status).toBe(409);
    expect((body as Problem).code).toBe('object_changed');
    const other = serviceText('another', { ports: [{ port: 1 }] });
    expect((await api.object('PUT', path, other)).status).toBe(422);
  });
});

test('what only the registry can find wrong has its place in the text too', async () => {
  const text = (name: string) => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  type: NodePort
  externalIPs:
  - 192.0.2.1
  ports:
  - port: 80
    nodePort: 30999
`;
  const external = await api.refused(text('a'));
  expect(external.faults?.[0]).toMatchObject({ field: 'spec.externalIPs[0]', line: 8 });
  const allowed = text('a').replace('192.0.2.1', '198.51.100.1');
  await api.apply(allowed);
  const clash = await api.refused(allowed.replace('name: a', 'name: b'));
  expect(clash.faults?.[0]).toMatchObject({
    field: 'spec.ports[0].nodePort',
    line: 11,
    column: 15,
  });
});
