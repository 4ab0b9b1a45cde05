import fc from 'fast-check';
import {
  areDistinct,
  areGood,
  drawn,
  type Drawn,
  isGood,
  listOf,
  objectsOf,
  type Values,
} from './draws.ts';

const drawnFields = (fields: Readonly<Record<string, Values<unknown>>>) =>
  objectsOf(Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, drawn(one)])));

const few = (one: fc.Arbitrary<Drawn>, minLength = 0) => fc.array(one, { minLength, maxLength: 2 });

const HOSTNAME: Values<unknown> = { good: [undefined, 'a'], bad: ['A', 'a.b'] };
const NODE: Values<unknown> = { good: [undefined, 'n1', 'n.1'], bad: ['N_1', '-n'] };
const PROTOCOL: Values<unknown> = { good: [undefined, 'TCP', 'UDP', 'SCTP'], bad: ['tcp'] };
const APP_PROTOCOL: Values<unknown> = { good: [undefined, 'http'], bad: ['a b'] };

const ADDRESS = {
  ip: {
    good: ['10.1.1.1', '10.1.1.2', '2001:db8::1'],
    bad: [undefined, 'nonsense', '0.0.0.0', '169.254.1.1', '224.0.0.1'],
  },
  hostname: HOSTNAME,
  nodeName: NODE,
};
const ENDPOINTS_PORT = {
  name: { good: [undefined, 'a', 'b'], bad: ['A'] },
  port: { good: [80, 443], bad: [undefined, 0, 65_536] },
  protocol: PROTOCOL,
  appProtocol: APP_PROTOCOL,
};

/** Contents of Endpoints. */
export const endpoints: fc.Arbitrary<Drawn> = few(
  fc
    .record({
      addresses: few(drawnFields(ADDRESS), 1),
      notReadyAddresses: few(drawnFields(ADDRESS)),
      ports: few(drawnFields(ENDPOINTS_PORT)),
    })
    .map((subset) => ({ ...subset })),
).map((subsets) => ({ subsets }));

export function areEndpointsTaken({ subsets }: Drawn): boolean {
  return listOf(subsets).every((subset) => {
    const addresses = [...listOf(subset['addresses']), ...listOf(subset['notReadyAddresses'])];
    const ports = listOf(subset['ports']);
    return (
      addresses.length > 0 &&
      addresses.every((one) => areGood(one, ADDRESS)) &&
      ports.every((one) => areGood(one, ENDPOINTS_PORT)) &&
      (ports.length < 2 || ports.every(({ name }) => name !== undefined))
    );
  });
}

const ADDRESS_TYPE: Values<unknown> = {
  good: ['IPv4', 'IPv6', 'FQDN'],
  bad: [undefined, 'ipv4', 'IP'],
};
/** What an address of each type may be. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  IPv4: ['10.1.1.1', '10.1.1.2'],
  IPv6: ['2001:db8::1'],
  // Four numbers are a name too.
  FQDN: ['a.example', 'b.example.', '10.1.1.1', '10.1.1.2', '0.0.0.0', '169.254.1.1'],
};
const STRANGE = ['nonsense', '0.0.0.0', '169.254.1.1'];
const SLICE_PORT = {
  name: { good: [undefined, '', 'a', 'b'], bad: ['A', 'x'.repeat(64)] },
  port: { good: [undefined, 80, 443], bad: [0, 65_536] },
  protocol: PROTOCOL,
  appProtocol: APP_PROTOCOL,
};
const ENDPOINT = {
  hostname: HOSTNAME,
  nodeName: NODE,
  zone: { good: [undefined, 'z1'], bad: [] },
  conditions: {
    good: [undefined, {}, { ready: false }, { ready: true, terminating: true }],
    bad: [],
  },
  hints: {
    good: [undefined, { forZones: [{ name: 'z1' }, { name: '' }] }],
    bad: [{ forZones: [{ name: 'z1' }, { name: 'z1' }] }, { forZones: [{ name: 'a b' }] }],
  },
};

/** Contents of slices. */
export const slices: fc.Arbitrary<Drawn> = drawn(ADDRESS_TYPE).chain((addressType) => {
  const own = OF_TYPE[addressType as string] ?? ['10.1.1.1'];
  const bad = addressType === 'FQDN' ? ['nonsense'] : STRANGE;
  const address = drawn({ good: own, bad });
  const endpoint = fc
    .record({
      fields: drawnFields(ENDPOINT),
      addresses: fc.array(address, { minLength: 1, maxLength: 2 }),
      isEmpty: fc.nat(40),
    })
    .map(({ fields, addresses, isEmpty }) => ({
      ...fields,
      addresses: isEmpty === 0 ? [] : addresses,
    }));
  return fc
    .record({ endpoints: few(endpoint), ports: few(drawnFields(SLICE_PORT)) })
    .map((content) => JSON.parse(JSON.stringify({ addressType, ...content })) as Drawn);
});

export function isSliceTaken(slice: Drawn, before: Drawn | undefined): boolean {
  const own = OF_TYPE[slice['addressType'] as string] ?? [];
  const ports = listOf(slice['ports']);
  return (
    isGood(ADDRESS_TYPE, slice['addressType']) &&
    (before === undefined || before['addressType'] === slice['addressType']) &&
    ports.every((one) => areGood(one, SLICE_PORT)) &&
    areDistinct(ports.map(({ name = '' }) => String(name))) &&
    listOf(slice['endpoints']).every((endpoint) => {
      const addresses = (endpoint['addresses'] ?? []) as readonly string[];
      return (
        areGood(endpoint, ENDPOINT) &&
        addresses.length > 0 &&
        addresses.every((address) => own.includes(address))
      );
    })
  );
}

const BACKEND: Values<unknown> = {
  good: [
    { service: { name: 'web', port: { number: 80 } } },
    { service: { name: 'web', port: { name: 'http' } } },
    { resource: { apiGroup: 'a.example', kind: 'Bucket', name: 'a' } },
  ],
  bad: [
    {},
    { resource: { name: 'a' } },
    { resource: { apiGroup: 'A', kind: 'Bucket', name: 'a' } },
    { resource: { kind: 'a/b', name: 'a' } },
    { resource: { kind: 'Bucket', name: 'a' }, service: { name: 'web', port: { number: 80 } } },
    { service: { name: '', port: { number: 80 } } },
    { service: { name: 'Web', port: { number: 80 } } },
    { service: { name: 'web' } },
    { service: { name: 'web', port: { number: 80, name: 'http' } } },
    { service: { name: 'web', port: { number: 65_536 } } },
  ],
};
const HOST: Values<unknown> = {
  good: [undefined, 'a.example', '*.a.example'],
  bad: ['A.example', 'a_b', '*.', '*', 'a.*.example', '127.0.0.1'],
};
const PATH_TYPE: Values<unknown> = {
  good: ['Prefix', 'Exact', 'ImplementationSpecific'],
  bad: [undefined, 'prefix'],
};
/** Good for every type of path. */
const PATH: Values<unknown> = {
  good: ['/', '/a', '/a/b'],
  bad: ['a', '/a//b', '/a/./b', '/a%2fb'],
};
const INGRESS = {
  ingressClassName: { good: [undefined, 'nginx'], bad: ['Bad_Class'] },
  defaultBackend: { good: [undefined, ...BACKEND.good], bad: BACKEND.bad },
  tls: {
    good: [undefined, [{ hosts: ['a.example'], secretName: 'shop' }]],
    bad: [[{ hosts: ['a_b'] }], [{ secretName: 'Shop_' }]],
  },
};

const rule = fc
  .record({
    host: drawn(HOST),
    paths: few(drawnFields({ path: PATH, pathType: PATH_TYPE, backend: BACKEND }), 1),
    isBare: fc.nat(20),
  })
  .map(({ host, paths, isBare }) => ({ host, ...(isBare === 0 ? {} : { http: { paths } }) }));

/** Specs of Ingresses. */
export const ingressSpecs: fc.Arbitrary<Drawn> = fc
  .record({ fields: drawnFields(INGRESS), rules: few(rule as fc.Arbitrary<Drawn>) })
  .map(({ fields, rules }) => JSON.parse(JSON.stringify({ ...fields, rules })) as Drawn);

export function isIngressTaken(spec: Drawn): boolean {
  const rules = listOf(spec['rules']);
  return (
    areGood(spec, INGRESS) &&
    (spec['defaultBackend'] !== undefined || rules.length > 0) &&
    rules.every(({ host, http }) => {
      if (!isGood(HOST, host)) return false;
      const paths = listOf((http as Drawn | undefined)?.['paths']);
      return paths.every(
        (one) =>
          isGood(PATH_TYPE, one['pathType']) && isGood(BACKEND, one['backend']) && isPathTaken(one),
      );
    })
  );
}

/** What a path means is only looked at where Kubernetes defines it; elsewhere it has to be absolute. */
function isPathTaken({ path, pathType }: Drawn): boolean {
  return pathType === 'ImplementationSpecific'
    ? (path as string).startsWith('/')
    : isGood(PATH, path);
}
