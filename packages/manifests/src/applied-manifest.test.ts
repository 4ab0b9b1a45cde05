import { expect, test } from 'vitest';
import { appliedManifest } from './applied-manifest.ts';
import type { ServicePort } from './service/service.ts';

const service = (ports: ServicePort[] | undefined, metadata: object = {}) => ({
  apiVersion: 'v1' as const,
  kind: 'Service' as const,
  metadata: { name: 'web', ...metadata },
  spec: ports === undefined ? {} : { ports },
});

function portsOf(last: unknown, live: ServicePort[], next: ServicePort[] | undefined): unknown {
  const result = appliedManifest(last, service(live), service(next));
  return (result as { spec: { ports?: unknown } }).spec.ports;
}

const [HTTP, HTTPS] = [
  { name: 'http', port: 80, protocol: 'TCP', targetPort: 8_080, nodePort: 30_080 },
  { name: 'https', port: 443, protocol: 'TCP', targetPort: 443 },
];

test('what others said of a port stays, and what the manifest said goes', () => {
  const next = [{ name: 'http', port: 80 }];
  expect(portsOf(service(next), [HTTP], next)).toEqual([HTTP]);
  expect(portsOf(service([HTTP]), [HTTP], next)).toEqual(next);
});

test('ports of others stay behind those of the manifest, which come in its order', () => {
  const dns = { name: 'dns', port: 53, protocol: 'UDP' };
  expect(portsOf(service([HTTP]), [HTTP, HTTPS], [dns, HTTP])).toEqual([dns, HTTP, HTTPS]);
  expect(portsOf(service([HTTP]), [HTTP, HTTPS], [dns])).toEqual([dns, HTTPS]);
  expect(portsOf(service([HTTP]), [HTTP, HTTPS], undefined)).toEqual([HTTPS]);
  expect(portsOf(service([HTTP]), [HTTP], undefined)).toBeUndefined();
});

test('a number of two protocols is two ports', () => {
  const [tcp, udp] = [
    { name: 'tcp', port: 53 },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ];
  expect(portsOf(service([tcp]), [tcp, udp], [{ name: 'tcp', port: 53, protocol: 'TCP' }])).toEqual(
    [{ ...tcp, protocol: 'TCP' }, udp],
  );
  expect(portsOf(service([tcp, udp]), [tcp, udp], [tcp])).toEqual([tcp]);
});

test('finalizers of others stay', () => {
  const withFinalizers = (...finalizers: string[]) => service([HTTP], { finalizers });
  const [last, live] = [withFinalizers('a.test/a'), withFinalizers('a.test/a', 'b.test/b')];
  const finalizersOf = (next: ReturnType<typeof service>) =>
    (appliedManifest(last, live, next) as ReturnType<typeof withFinalizers>).metadata;
  expect(finalizersOf(withFinalizers('a.test/a'))).toMatchObject({
    finalizers: ['a.test/a', 'b.test/b'],
  });
  expect(finalizersOf(service([HTTP]))).toMatchObject({ finalizers: ['b.test/b'] });
});

test('containers are told apart by their names, other lists are replaced', () => {
  const deployment = (...containers: object[]) => ({
    apiVersion: 'apps/v1' as const,
    kind: 'Deployment' as const,
    metadata: { name: 'web' },
    spec: { template: { spec: { containers } } },
  });
  const live = deployment(
    { name: 'web', image: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }], args: ['x', 'y'] },
    { name: 'mesh', image: 'm' },
  );
  const next = deployment({ name: 'web', image: 'b', ports: [{ containerPort: 81 }], args: ['z'] });
  const last = deployment({ name: 'web', image: 'a' });
  expect(appliedManifest(last, live as never, next as never)).toMatchObject(
    deployment(
      {
        name: 'web',
        image: 'b',
        ports: [{ containerPort: 81 }, { containerPort: 80, protocol: 'TCP' }],
        args: ['z'],
      },
      { name: 'mesh', image: 'm' },
    ),
  );
});
