import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readManifests } from './read.ts';

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: nginx
spec:
  selector:
    app: nginx
  ports:
    - port: 8080
      targetPort: 80
`;

/** Faults as \`line:column field: message (fix)\`. */
function faultsOf(text: string): string[] {
  const { manifests, faults } = readManifests(text);
  return [...faults, ...manifests.flatMap((one) => one.faults)].map(
    ({ line, column, field, message, fix }) => `${line}:${column} ${field}: ${message} (${fix})`,
  );
}

describe('reading', () => {
  test('fills in the defaults of Kubernetes', () => {
    const { manifests, faults } = readManifests(SERVICE);
    expect(faults).toEqual([]);
    expect(manifests).toHaveLength(1);
    expect(manifests[0]).toMatchObject({ name: 'Service "nginx"', line: 1, faults: [] });
    expect(manifests[0]?.manifest).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'nginx' },
      spec: {
        type: 'ClusterIP',
        selector: { app: 'nginx' },
        ports: [{ port: 8080, targetPort: 80, protocol: 'TCP' }],
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
      },
    });
  });

  test('takes several documents, a List, and JSON', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n${SERVICE.replaceAll(/^/gm, '    ').replace('    a', '  - a')}`;
    const json = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'j' },
      spec: { ports: [{ port: 1 }] },
    });
    for (const text of [`${SERVICE}---\n${SERVICE}---\n`, `---\n${SERVICE}`, list, json]) {
      const { manifests } = readManifests(text);
      expect(manifests.every(({ faults }) => faults.length === 0)).toBe(true);
      expect(manifests.length).toBeGreaterThan(0);
    }
    expect(readManifests(`${SERVICE}---\n${SERVICE}---\n`).manifests).toHaveLength(2);
  });

  test('takes Go’s zero values as absent', () => {
    const text = SERVICE.replace('metadata:\n', 'metadata:\n  creationTimestamp: null\n')
      .replace('    - port: 8080\n', '    - port: 8080\n      nodePort: 0\n')
      .replace('spec:\n', "spec:\n  clusterIP: ''\n  type: ''\n")
      .concat('status:\n  loadBalancer: {}\n');
    expect(faultsOf(text)).toEqual([]);
  });

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((noise) => SERVICE.replace('nginx', noise)),
        ),
        (text) => {
          const { manifests, faults } = readManifests(text);
          for (const fault of [...faults, ...manifests.flatMap((one) => one.faults)]) {
            expect(fault.line).toBeGreaterThan(0);
            expect(fault.message).not.toBe('');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the doctor', () => {
  test.each<[string, string, RegExp]>([
    [
      'selector at the top level',
      SERVICE.replace('spec:\n  selector:\n    app: nginx', 'selector:\n  app: nginx\nspec:'),
      /^5:1 selector: selector is at the top level.*\(indent it under spec: spec\.selector\)$/,
    ],
    [
      'selector inside a port',
      SERVICE.replace(
        '      targetPort: 80',
        '      targetPort: 80\n      selector:\n        app: nginx',
      ),
      /^11:\d+ spec\.ports\[0\]\.selector: selector is inside a port.*\(move it out two levels: spec\.selector\)$/,
    ],
    [
      'type in lower case',
      SERVICE.replace('spec:\n', 'spec:\n  type: clusterIP\n'),
      /^6:9 spec\.type: Unsupported value: "clusterIP": supported values: .*\(type: ClusterIP\)$/,
    ],
    [
      'type in another spelling',
      SERVICE.replace('spec:\n', 'spec:\n  type: Node-Port\n'),
      /\(type: NodePort\)$/,
    ],
    [
      'node port out of range',
      SERVICE.replace('spec:\n', 'spec:\n  type: NodePort\n').replace(
        '    - port: 8080',
        '    - port: 8080\n      nodePort: 32768',
      ),
      /^11:17 spec\.ports\[0\]\.nodePort: Invalid value: 32768: provided port is not in the valid range\. The range of valid ports is 30000-32767 \(choose one/,
    ],
    [
      'typographic quotes',
      SERVICE.replace('app: nginx', 'app: “nginx”'),
      /^7:10 : a typographic quote “.*\(write " or ' instead\)$/,
    ],
    [
      'typographic dash',
      SERVICE.replace('    - port', '    – port'),
      /^9:5 : a typographic dash.*\(write - instead\)$/,
    ],
    [
      '-- where # was meant',
      SERVICE.replace('port: 8080', 'port: 8080 -- what callers use'),
      /^9:18 : '--' is no comment in YAML.*\(write # instead of --\)$/,
    ],
    [
      '-- alone on its line',
      SERVICE.replace('  selector', '  -- the pods\n  selector'),
      /^6:3 : '--' is no comment in YAML: the line.*/,
    ],
    [
      'a tab',
      SERVICE.replace('  selector', '\tselector'),
      /^6:1 : a tab in the indentation.*\(replace each tab by two spaces\)$/,
    ],
    [
      'an unknown field',
      SERVICE.replace('targetPort', 'targetport'),
      /^10:\d+ spec\.ports\[0\]\.targetport: strict decoding error: unknown field "spec\.ports\[0\]\.targetport" \(did you mean targetPort\?\)$/,
    ],
    [
      'an unknown field far from any',
      SERVICE.replace('targetPort', 'colour'),
      /\(known here: name, protocol, appProtocol, port, targetPort, nodePort\)$/,
    ],
    [
      'an unknown kind',
      SERVICE.replace('kind: Service', 'kind: Servce'),
      /^2:7 kind: no matches for kind "Servce" in version "v1" \(kind: Service\)$/,
    ],
    [
      'a wrong version',
      SERVICE.replace('v1', 'apps/v1'),
      /^1:13 apiVersion: no matches for kind "Service" in version "apps\/v1" \(apiVersion: v1\)$/,
    ],
    [
      'a port as text',
      SERVICE.replace('8080', "'8080'"),
      /^9:13 spec\.ports\[0\]\.port: Invalid value: "8080": expected an integer \(write 8080 without quotes\)$/,
    ],
    [
      'a label as number',
      SERVICE.replace('app: nginx', 'app: 1'),
      /^7:10 spec\.selector\.app: Invalid value: 1: expected a string \(quote it: "1"\)$/,
    ],
    [
      'one port without a list',
      SERVICE.replace('    - port: 8080\n      targetPort: 80', '    port: 8080'),
      /spec\.ports: ports is a single port; expected a list \(begin its first field with "- "\)$/,
    ],
    ['YAML that is none', 'a: [1', /^\d+:\d+ : /],
  ])('%s', (_what, text, expected) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  test('a dash in a quoted text, a comment or a document mark is none', () => {
    expect(
      faultsOf(`---\n# a -- b “c”\n${SERVICE.replace('name: nginx', 'name: nginx # x -- y')}`),
    ).toEqual([]);
    expect(
      faultsOf(SERVICE.replace('metadata:\n', 'metadata:\n  annotations:\n    a: "b -- c"\n')),
    ).toEqual([]);
  });
});

describe('rules of a service, in the words of the API server', () => {
  const spec = (text: string) =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: ${text}\n`;
  test.each<[string, string[]]>([
    ['{}', ['spec.ports: Required value']],
    ['{ clusterIP: None }', []],
    ['{ clusterIP: None, selector: { a: b }, ports: [{ port: 80 }] }', []],
    [
      '{ type: NodePort, clusterIP: None, ports: [{ port: 80 }] }',
      [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
    ],
    ['{ type: ExternalName }', ['spec.externalName: Required value']],
    ['{ type: ExternalName, externalName: db.example.com }', []],
    [
      '{ type: ExternalName, externalName: db.example.com, clusterIP: 10.0.0.1 }',
      ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
    ],
    [
      '{ type: Nonsense, ports: [{ port: 80 }] }',
      [
        'spec.type: Unsupported value: "Nonsense": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      '{ ports: [{ port: 0 }] }',
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      '{ ports: [{ port: 70000 }] }',
      [
        'spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      '{ ports: [{ port: 80 }, { port: 81 }] }',
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      '{ ports: [{ port: 80, name: a }, { port: 81, name: a }] }',
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    ['{ ports: [{ port: 80, name: a }, { port: 80, name: b, protocol: UDP }] }', []],
    [
      '{ ports: [{ port: 80, name: a }, { port: 80, name: b }] }',
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
    ],
    [
      '{ ports: [{ port: 80, protocol: HTTP }] }',
      ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      '{ ports: [{ port: 80, nodePort: 30080 }] }',
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      '{ ports: [{ port: 80 }], sessionAffinity: Sticky }',
      ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"'],
    ],
    [
      '{ ports: [{ port: 80 }], sessionAffinity: ClientIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 90000 } } }',
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
      ],
    ],
    [
      '{ ports: [{ port: 80 }], externalIPs: [169.254.0.1] }',
      [
        'spec.externalIPs[0]: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      ],
    ],
    [
      '{ ports: [{ port: 80 }], externalIPs: [example.com] }',
      [
        'spec.externalIPs[0]: Invalid value: "example.com": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      '{ ports: [{ port: 80 }], clusterIP: 10.0.0.300 }',
      [
        'spec.clusterIPs[0]: Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      '{ ports: [{ port: 80 }], loadBalancerSourceRanges: [10.0.0.0/8] }',
      ["spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
    [
      '{ type: LoadBalancer, ports: [{ port: 80 }], loadBalancerSourceRanges: [10.0.0.0/8/9] }',
      [
        'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.0/8/9": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      '{ type: LoadBalancer, ports: [{ port: 80 }], loadBalancerSourceRanges: [10.0.0.0] }',
      [
        'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
  ])('%s', (text, expected) => {
    const { manifests } = readManifests(spec(text));
    expect(manifests[0]?.faults.map(({ field, message }) => `${field}: ${message}`)).toEqual(
      expected,
    );
  });

  test('a name is a DNS-1035 label', () => {
    const [fault] = faultsOf(SERVICE.replace('name: nginx', 'name: 1nginx'));
    expect(fault).toMatch(
      /^4:9 metadata\.name: Invalid value: "1nginx": a DNS-1035 label must consist of.*start with an alphabetic character/,
    );
  });
});

describe('the other kinds', () => {
  test.each<[string, string]>([
    [
      'Endpoints',
      'apiVersion: v1\nkind: Endpoints\nmetadata: { name: db }\nsubsets: [{ addresses: [{ ip: 10.0.0.9 }], ports: [{ port: 5432 }] }]',
    ],
    [
      'EndpointSlice',
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: db-1, labels: { kubernetes.io/service-name: db } }\naddressType: IPv4\nendpoints: [{ addresses: [10.0.0.9] }]\nports: [{ port: 5432 }]',
    ],
    [
      'Ingress',
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec: { rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: nginx, port: { number: 80 } } } }] } }] }',
    ],
    [
      'Deployment',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: 3, selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, image: nginx }] } } }',
    ],
  ])('%s is taken as written', (_kind, text) => {
    expect(faultsOf(text)).toEqual([]);
  });

  test.each<[string, string]>([
    [
      'apiVersion: v1\nkind: Endpoints\nmetadata: { name: db }\nsubsets: [{ addresses: [{ ip: 0.0.0.0 }], ports: [{ port: 1 }] }]',
      'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
    [
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: db-1 }\naddressType: IPv5',
      'addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    [
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec: {}',
      'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
    ],
    [
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: -1, selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } } } }',
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: c } } } }',
      'spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`',
    ],
  ])('%s', (text, expected) => {
    const { manifests } = readManifests(text);
    expect(manifests[0]?.faults.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      expected,
    ]);
  });
});
