import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, portsOf, serviceText, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer('--allow-external-ip=198.51.100.0/24');
  api = new ManifestApi(server);
});
afterEach(() => server.close());

describe('addresses and node ports', () => {
  test('are given, kept over changes, and free again after deletion', async () => {
    const spec = { type: 'NodePort', selector: { app: 'a' }, ports: [{ port: 80 }] };
    const [first] = (await api.apply(serviceText('np', spec))).results;
    const before = first?.object;
    const { clusterIP } = specOf(before);
    const [{ nodePort } = {}] = portsOf(before);
    expect(clusterIP).toMatch(/^127\.96\./);
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    await api.apply(serviceText('np', { ...spec, ports: [{ port: 80, targetPort: 9 }] }));
    const after = await api.read('svc/np');
    expect(specOf(after)).toMatchObject({ clusterIP, ports: [{ port: 80, nodePort }] });
    await api.object('DELETE', 'svc/np');
    await api.apply(serviceText('other', { ...spec, clusterIP, ports: [{ port: 80, nodePort }] }));
    expect(specOf(await api.read('svc/other'))).toMatchObject({ clusterIP });
  });

  test('a LoadBalancer has both, and tells the address that its balancer reports', async () => {
    await api.apply(
      serviceText('lb', { type: 'LoadBalancer', selector: { a: 'b' }, ports: [{ port: 80 }] }),
    );
    const lb = await api.read('svc/lb');
    expect(specOf(lb)).toMatchObject({ allocateLoadBalancerNodePorts: true });
    expect(portsOf(lb)[0]?.['nodePort']).toBeTypeOf('number');
    expect(lb['status']).toEqual({ loadBalancer: {} });
    const report = { loadBalancer: [{ ip: '127.0.0.7' }], conditions: [] };
    const path = '/v1/namespaces/default/services/lb/reports/lb.host';
    expect((await api.call('PUT', path, JSON.stringify(report), 'application/json')).status).toBe(
      200,
    );
    expect((await api.read('svc/lb'))['status']).toEqual({
      loadBalancer: { ingress: [{ ip: '127.0.0.7' }] },
    });
    await api.call('DELETE', path);
    expect((await api.read('svc/lb'))['status']).toEqual({ loadBalancer: {} });
  });

  test('ports of one number that differ in protocol share a node port', async () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    await api.apply(serviceText('dns', { type: 'NodePort', selector: { a: 'b' }, ports }));
    const [udp, tcp] = portsOf(await api.read('svc/dns'));
    expect(udp?.['nodePort']).toBe(tcp?.['nodePort']);
  });

  test('a clash names the field, the value and who has it', async () => {
    const spec = {
      type: 'NodePort',
      selector: { a: 'b' },
      ports: [{ port: 80, nodePort: 30_120 }],
    };
    await api.apply(serviceText('one', spec));
    const problem = await api.refused(serviceText('two', spec), '?namespace=elsewhere');
    expect(problem).toMatchObject({
      code: 'invalid_manifest',
      field: 'spec.ports[0].nodePort',
      message:
        'Service "two": spec.ports[0].nodePort: Invalid value: 30120: provided port is already allocated',
    });
    expect(problem.faults?.[0]?.fix).toContain('service default/one has it');
    const { clusterIP } = specOf(await api.read('svc/one'));
    expect(
      await api.refused(serviceText('three', { clusterIP, ports: [{ port: 1 }] })),
    ).toMatchObject({
      field: 'spec.clusterIPs',
      message: expect.stringContaining('provided IP is already allocated') as string,
    });
  });

  test.each([
    [{ clusterIP: '10.0.0.1', ports: [{ port: 1 }] }, /range of valid IPs is 127\.96\.0\.0\/16/],
    [{ externalIPs: ['192.0.2.1'], ports: [{ port: 1 }] }, /Forbidden: .*--allow-external-ip/],
    [{ type: 'clusterIP', ports: [{ port: 1 }] }, /Unsupported value: "clusterIP"/],
    [{ ports: [] }, /spec.ports: Required value/],
  ])('%j is refused', async (spec, message) => {
    const problem = await api.refused(serviceText('bad', spec));
    expect(problem.message).toMatch(message);
    expect(await api.object('GET', 'svc/bad')).toMatchObject({ status: 404 });
  });

  test('an allowed external IP is taken', async () => {
    const spec = { externalIPs: ['198.51.100.7'], selector: { a: 'b' }, ports: [{ port: 80 }] };
    await api.apply(serviceText('ext', spec));
    expect(specOf(await api.read('svc/ext'))).toMatchObject({ externalIPs: ['198.51.100.7'] });
  });

  test('the type may change: what only the former one needed goes', async () => {
    const ports = [{ port: 80 }];
    const balanced = { type: 'LoadBalancer', selector: { a: 'b' }, ports };
    await api.apply(serviceText('s', balanced));
    await api.apply(serviceText('s', { selector: { a: 'b' }, ports }));
    const spec = specOf(await api.read('svc/s'));
    expect(spec).toMatchObject({ type: 'ClusterIP' });
    for (const field of ['allocateLoadBalancerNodePorts', 'externalTrafficPolicy']) {
      expect(spec).not.toHaveProperty(field);
    }
    expect((spec['ports'] as object[])[0]).not.toHaveProperty('nodePort');
    await api.apply(serviceText('s', { type: 'ExternalName', externalName: 'db.example.com' }));
    expect(specOf(await api.read('svc/s'))).not.toHaveProperty('clusterIP');
  });

  test('an address may not change', async () => {
    await api.apply(serviceText('s', { clusterIP: '127.96.0.20', ports: [{ port: 80 }] }));
    const problem = await api.refused(
      serviceText('s', { clusterIP: '127.96.0.21', ports: [{ port: 80 }] }),
    );
    expect(problem.message).toMatch(/Invalid value: \["127.96.0.21"\]: may not change once set/);
  });

  test('who puts a service back with an address or node ports left out keeps them', async () => {
    const spec = { type: 'NodePort', selector: { a: 'b' }, ports: [{ name: 'http', port: 80 }] };
    await api.apply(serviceText('s', spec));
    const { clusterIP, ports } = specOf(await api.read('svc/s'));
    const put = { ...spec, clusterIP: '', clusterIPs: [clusterIP] };
    expect(await api.object('PUT', 'svc/s', serviceText('s', put))).toMatchObject({ status: 200 });
    expect(specOf(await api.read('svc/s'))).toMatchObject({ clusterIP, ports });
  });

  test('node ports that a load balancer is to have no longer stay when it is applied, and go when it is put', async () => {
    const spec = { type: 'LoadBalancer', selector: { a: 'b' }, ports: [{ port: 80 }] };
    await api.apply(serviceText('s', spec));
    const open = { ...spec, allocateLoadBalancerNodePorts: false };
    // Applying leaves alone what the server chose, as the manifest never had it.
    await api.apply(serviceText('s', open));
    expect(specOf(await api.read('svc/s'))['ports']).toMatchObject([
      { nodePort: expect.any(Number) as number },
    ]);
    await api.object('PUT', 'svc/s', serviceText('s', open));
    expect((specOf(await api.read('svc/s'))['ports'] as object[])[0]).not.toHaveProperty(
      'nodePort',
    );
  });

  test('the second family of a headless service is kept, and ends where one is asked for', async () => {
    const headless = { clusterIP: 'None', ports: [{ port: 80 }] };
    await api.apply(serviceText('s', headless));
    const both = { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' };
    expect(specOf(await api.read('svc/s'))).toMatchObject(both);
    const put = (spec: object) => api.object('PUT', 'svc/s', serviceText('s', spec));
    expect(await put({ ports: [{ port: 80 }] })).toMatchObject({ status: 200 });
    expect(specOf(await api.read('svc/s'))).toMatchObject(both);
    // A selector finds addresses of the one family that there is.
    expect(await put({ ...headless, selector: { a: 'b' } })).toMatchObject({ status: 422 });
    await api.apply(serviceText('s', { ...headless, ipFamilyPolicy: 'SingleStack' }));
    expect(specOf(await api.read('svc/s'))['ipFamilies']).toEqual(['IPv4']);
  });
});
