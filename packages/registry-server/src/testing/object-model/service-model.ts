import fc from 'fast-check';
import {
  areDistinct,
  areGood,
  drawn,
  type Drawn,
  isGood,
  isSame,
  listOf,
  objectsOf,
  type Values,
} from './draws.ts';

const LONG = 'x'.repeat(64);

const isNodePort = (value: unknown) => Number(value) >= 30_000 && Number(value) <= 32_767;
const isAddress = (value: unknown) => String(value).startsWith('127.96.');

const PORT = {
  name: { good: [undefined, 'a', 'b', 'c'], bad: ['A', '-a', LONG] },
  port: { good: [80, 81, 443, 65_535], bad: [undefined, 0, -1, 65_536] },
  protocol: { good: [undefined, 'TCP', 'UDP', 'SCTP'], bad: ['tcp', 'HTTP'] },
  targetPort: {
    good: [undefined, 8_080, 'http', 80, 81, 443, 65_535],
    bad: [70_000, -1, 'a--b', 'a-very-long-name'],
  },
  nodePort: {
    good: [undefined, 30_500, 30_501, 30_502],
    bad: [80, 29_999, 32_768, -1],
    isGiven: isNodePort,
  },
  appProtocol: { good: [undefined, 'http', 'acme.io/x'], bad: ['a b', '/x'] },
};

const POLICIES: Values<unknown> = { good: [undefined, 'Cluster', 'Local'], bad: ['local'] };

const TYPES: Values<unknown> = {
  good: [undefined, 'ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
  bad: ['clusterip', 'Headless'],
};

/** What is wrong or right of a field by itself, whatever the others say. */
const ALONE = {
  type: TYPES,
  sessionAffinity: { good: [undefined, 'None', 'ClientIP'], bad: ['clientip'] },
  internalTrafficPolicy: POLICIES,
  externalTrafficPolicy: POLICIES,
  publishNotReadyAddresses: { good: [undefined, true, false], bad: [] },
  trafficDistribution: { good: [undefined, 'PreferClose'], bad: ['Near'] },
  allocateLoadBalancerNodePorts: { good: [undefined, true, false], bad: [] },
  loadBalancerClass: { good: [undefined, 'acme.io/a', 'acme.io/b'], bad: ['a b'] },
  healthCheckNodePort: { good: [undefined, 30_700, 30_701], bad: [-1, 80], isGiven: isNodePort },
  loadBalancerSourceRanges: { good: [undefined, ['10.0.0.0/8']], bad: [['10.0.0.0'], ['all']] },
  ipFamilyPolicy: {
    good: [undefined, 'SingleStack', 'PreferDualStack'],
    bad: ['RequireDualStack', 'Both'],
  },
  ipFamilies: {
    good: [undefined, ['IPv4']],
    bad: [['IPv6'], ['IPv4', 'IPv6'], ['IPv4', 'IPv4'], ['four']],
  },
  selector: {
    good: [undefined, { app: 'web' }, { app: 'web', tier: '' }],
    bad: [{ 'a b': 'c' }, { app: '-x' }],
  },
} satisfies Readonly<Record<string, Values<unknown>>>;

const CLUSTER_IP: Values<unknown> = {
  good: [undefined, '', 'None', '127.96.9.1', '127.96.9.2'],
  bad: ['nonsense', '10.0.0.1', '2001:db8::1'],
  isGiven: isAddress,
};
const EXTERNAL_NAME: Values<unknown> = {
  good: ['a.example', 'b.example'],
  bad: [undefined, '', 'a_b', 'a..b'],
};
const TIMEOUT: Values<unknown> = { good: [undefined, 1, 10_800, 86_400], bad: [0, -1, 86_401] };

const affinityConfig = drawn(TIMEOUT).map((timeoutSeconds) =>
  timeoutSeconds === undefined ? undefined : { clientIP: { timeoutSeconds } },
);

/** Fields that a type seldom has, so that most services are valid. */
const rarely = (
  values: Values<unknown>,
  type: string,
  all: fc.Arbitrary<unknown> = drawn(values),
) => fc.tuple(all, fc.nat(30)).map(([value, dice]) => ({ value, isHere: dice === 0, type }));

/** Specs of services: each about as often valid as not. */
export const serviceSpecs: fc.Arbitrary<Drawn> = fc
  .record({
    fields: objectsOf(
      Object.fromEntries(Object.entries(ALONE).map(([name, values]) => [name, drawn(values)])),
    ),
    ports: fc.array(
      objectsOf(Object.fromEntries(Object.entries(PORT).map(([name, one]) => [name, drawn(one)]))),
      { maxLength: 3 },
    ),
    clusterIP: drawn(CLUSTER_IP),
    externalName: fc.oneof(fc.constant(undefined), drawn(EXTERNAL_NAME)),
    sessionAffinityConfig: affinityConfig,
    stray: rarely(CLUSTER_IP, ''),
  })
  .map(({ fields, ports, stray, ...rest }) => {
    const whole = JSON.parse(JSON.stringify({ ...fields, ...rest, ports })) as Drawn;
    return stray.isHere ? whole : fitting(whole);
  });

/** Without the fields that the type does not have: such a field makes the whole service invalid. */
function fitting(spec: Drawn): Drawn {
  const { type = 'ClusterIP' } = spec;
  const rest: Record<string, unknown> = { ...spec };
  const isBalanced = type === 'LoadBalancer';
  if (!isBalanced) for (const field of OF_BALANCERS) delete rest[field];
  if (!isBalanced && type !== 'NodePort') {
    delete rest['externalTrafficPolicy'];
    rest['ports'] = withoutNodePorts(listOf(spec['ports']));
  } else if (rest['clusterIP'] === 'None') delete rest['clusterIP'];
  if (rest['externalTrafficPolicy'] !== 'Local') delete rest['healthCheckNodePort'];
  if (type === 'ExternalName') {
    for (const field of OF_ADDRESSES) delete rest[field];
    rest['externalName'] ??= 'a.example';
  }
  const names = ['a', 'b', 'c'];
  const ports = listOf(rest['ports']);
  if (ports.length > 1) {
    const numbers = [80, 81, 443];
    rest['ports'] = ports.map((port, i) => ({ ...port, name: names[i], port: numbers[i] }));
  }
  if (ports.length === 0 && type !== 'ExternalName' && rest['clusterIP'] !== 'None')
    rest['ports'] = [{ port: 80 }];
  return rest;
}

const OF_BALANCERS = [
  'allocateLoadBalancerNodePorts',
  'loadBalancerClass',
  'healthCheckNodePort',
  'loadBalancerSourceRanges',
];
const OF_ADDRESSES = ['clusterIP', 'ipFamilies', 'ipFamilyPolicy'];

/** The numbers that other services have. */
export interface Taken {
  readonly clusterIPs: ReadonlySet<unknown>;
  readonly nodePorts: ReadonlySet<unknown>;
}

const typeOf = ({ type = 'ClusterIP' }: Drawn) => type;
const given = (value: unknown) => value !== undefined && value !== '' && value !== 0;

/** Whether the API server takes a service with this spec in place of another, or as a new one. */
export function isServiceTaken(spec: Drawn, before: Drawn | undefined, taken: Taken): boolean {
  const wanted = before === undefined ? spec : withoutLeftovers(spec, before);
  return (
    isSpecValid(wanted, before) &&
    (before === undefined || isChangeAllowed(wanted, before)) &&
    areNumbersFree(wanted, taken)
  );
}

/** Ports that ask for no node ports. */
function withoutNodePorts(ports: readonly Drawn[]): Drawn[] {
  return ports.map((port) => {
    const { nodePort: _, ...rest } = port;
    return rest;
  });
}

/** Unchanged fields of the former type go by themselves. */
function withoutLeftovers(spec: Drawn, before: Drawn): Drawn {
  const rest: Record<string, unknown> = { ...spec };
  const drop = (field: string) => {
    if (isSame(spec[field], before[field])) delete rest[field];
  };
  const type = typeOf(spec);
  const isExternal = type === 'LoadBalancer' || type === 'NodePort';
  if (type !== 'LoadBalancer') for (const field of OF_BALANCERS) drop(field);
  else if (spec['externalTrafficPolicy'] !== 'Local') drop('healthCheckNodePort');
  if (!isExternal) {
    drop('externalTrafficPolicy');
    const known = new Set(listOf(before['ports']).map(({ nodePort }) => nodePort));
    const ports = listOf(spec['ports']);
    if (ports.every(({ nodePort }) => !given(nodePort) || known.has(nodePort)))
      rest['ports'] = withoutNodePorts(ports);
  }
  if (type === 'ExternalName') for (const field of [...OF_ADDRESSES, 'clusterIPs']) drop(field);
  return rest;
}

const selects = (spec: Drawn | undefined) => Object.keys(spec?.['selector'] ?? {}).length > 0;

/**
 * Whether the families are those of a service whose addresses others write, or wrote until it got a selector: it may
 * name families that the registry has no addresses of, and this model does not judge it.
 */
export function hasForeignFamilies(spec: Drawn, before: Drawn | undefined): boolean {
  const address = given(spec['clusterIP']) ? spec['clusterIP'] : before?.['clusterIP'];
  const isNewlySelecting = selects(spec) && before !== undefined && !selects(before);
  if (address !== 'None' || (selects(spec) && !isNewlySelecting)) return false;
  const { ipFamilyPolicy, ipFamilies } = { ...before, ...spec };
  const isPlain = ipFamilyPolicy === undefined || ipFamilyPolicy === 'SingleStack';
  return !isPlain || !isGood(ALONE.ipFamilies, ipFamilies);
}

function isSpecValid(spec: Drawn, before: Drawn | undefined): boolean {
  const type = typeOf(spec);
  const ports = listOf(spec['ports']);
  const address = spec['clusterIP'];
  // A headless service stays headless when the address is left out.
  const isKept = !given(address) && before?.['clusterIP'] === 'None' && type !== 'ExternalName';
  const isHeadless = address === 'None' || isKept;
  const isBalanced = type === 'LoadBalancer';
  const isExternal = isBalanced || type === 'NodePort';
  const timeout = (spec['sessionAffinityConfig'] as Drawn | undefined)?.['clientIP'] as
    | Drawn
    | undefined;
  const rules = [
    areGood(spec, ALONE),
    isGood(CLUSTER_IP, address),
    ports.every((port) => areGood(port, PORT)),
    type === 'ExternalName' || isHeadless || ports.length > 0,
    ports.length < 2 || ports.every(({ name }) => given(name)),
    areDistinct(ports.flatMap(({ name }) => (given(name) ? [String(name)] : []))),
    areDistinct(ports.map(({ port, protocol = 'TCP' }) => JSON.stringify([port, protocol]))),
    isExternal || ports.every(({ nodePort }) => !given(nodePort)),
    areSharedAlone(ports),
    !(isExternal && isHeadless),
    type !== 'ExternalName' || isGood(EXTERNAL_NAME, spec['externalName']),
    type !== 'ExternalName' || OF_ADDRESSES.every((field) => !given(spec[field])),
    isExternal || !given(spec['externalTrafficPolicy']),
    isBalanced || OF_BALANCERS.every((field) => spec[field] === undefined),
    (isBalanced && spec['externalTrafficPolicy'] === 'Local') ||
      !given(spec['healthCheckNodePort']),
    spec['sessionAffinity'] !== 'ClientIP' || isGood(TIMEOUT, timeout?.['timeoutSeconds']),
  ];
  return rules.every(Boolean);
}

/** One node port may stand for one port number over several protocols, and for nothing else. */
function areSharedAlone(ports: readonly Drawn[]): boolean {
  const withNodePort = ports.filter(({ nodePort }) => given(nodePort));
  return withNodePort.every((one) =>
    withNodePort.every(
      (other) =>
        one === other ||
        one['nodePort'] !== other['nodePort'] ||
        (one['port'] === other['port'] &&
          (one['protocol'] ?? 'TCP') !== (other['protocol'] ?? 'TCP')),
    ),
  );
}

function isChangeAllowed(spec: Drawn, before: Drawn): boolean {
  const [from, to] = [typeOf(before), typeOf(spec)];
  const keepsAddress = from !== 'ExternalName' && to !== 'ExternalName';
  const address = spec['clusterIP'];
  if (keepsAddress && given(address) && address !== before['clusterIP']) return false;
  if (keepsAddress && before['clusterIP'] === 'None' && to !== 'ClusterIP') return false;
  if (from !== 'LoadBalancer' || to !== 'LoadBalancer') return true;
  if (!isSame(spec['loadBalancerClass'], before['loadBalancerClass'])) return false;
  const number = spec['healthCheckNodePort'];
  const wasChecked = before['healthCheckNodePort'] !== undefined;
  return !wasChecked || !given(number) || number === before['healthCheckNodePort'];
}

function areNumbersFree(spec: Drawn, { clusterIPs, nodePorts }: Taken): boolean {
  const numbers = [
    ...listOf(spec['ports']).map(({ nodePort }) => nodePort),
    spec['healthCheckNodePort'],
  ];
  const own = listOf(spec['ports']).map(({ nodePort }) => nodePort);
  const check = spec['healthCheckNodePort'];
  return (
    !clusterIPs.has(spec['clusterIP']) &&
    numbers.every((number) => !given(number) || !nodePorts.has(number)) &&
    !(given(check) && own.includes(check))
  );
}
