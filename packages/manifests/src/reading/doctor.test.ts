import { expect, test } from 'vitest';
import { readManifests } from './read.ts';

const HEAD = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: nginx\n';
const PORTS = '  ports:\n    - port: 80\n';

/** Each fault as `line:column field: message (fix)`. */
function faultsOf(text: string): string[] {
  const { manifests, faults } = readManifests(text);
  return [...faults, ...manifests.flatMap((one) => one.faults)].map(
    ({ line, column, field, message, fix }) => `${line}:${column} ${field}: ${message} (${fix})`,
  );
}

test.each<[what: string, text: string, expected: RegExp]>([
  [
    'a name at the top',
    `${HEAD.replace('metadata:\n  ', '')}spec:\n${PORTS}`,
    /^3:7 name: .*\(indent it under metadata: metadata\.name\)$/,
  ],
  [
    'a port field beside the ports',
    `${HEAD}spec:\n  ports:\n  - port: 80\n  targetPort: 80\n`,
    /^8:15 spec\.targetPort: .*belongs to one of them/,
  ],
  [
    'a comment of another language',
    `${HEAD}spec:\n  ports:\n    - port: 80 // the port\n`,
    /^7:16 : '\/\/' is no comment in YAML.*\(write # instead of \/\/\)$/,
  ],
  [
    'no space behind a colon',
    `${HEAD}spec:\n  type:NodePort\n${PORTS}`,
    /^6:3 : no space after "type:".*\(write type: NodePort\)$/,
  ],
  ['a typographic dash as a mark', `—\n${HEAD}spec:\n${PORTS}`, /^1:1 : .*\(write --- instead\)$/],
  ['a no-break space', `${HEAD}spec:\n  ports:\n    -\u00a0port: 80\n`, /^7:6 : a no-break space/],
  ['a fence of Markdown', `\`\`\`yaml\n${HEAD}spec:\n${PORTS}`, /^1:1 : a fence of Markdown/],
  ['a line of a shell', `$ cat svc.yaml\n${HEAD}spec:\n${PORTS}`, /^1:1 : a line of a shell/],
  [
    'braces of a template',
    `${HEAD}spec:\n  selector:\n    app: {{ .Values.app }}\n${PORTS}`,
    /^7:10 : the braces of a template/,
  ],
  [
    'matchLabels in a Service',
    `${HEAD}spec:\n  selector:\n    matchLabels:\n      app: nginx\n${PORTS}`,
    /^7:5 spec\.selector\.matchLabels: .*\(a Service has its labels directly under selector/,
  ],
  [
    'a selector as text',
    `${HEAD}spec:\n  selector: app=web\n${PORTS}`,
    /\(labels as a mapping, indented under selector: app: web\)$/,
  ],
  [
    'ports of Docker',
    `${HEAD}spec:\n  ports:\n    - "8080:80"\n`,
    /^7:7 spec\.ports\[0\]: .*\(- port: 8080, and targetPort: 80 below it\)$/,
  ],
  [
    'a node port without the type',
    `${HEAD}spec:\n  ports:\n    - port: 80\n      nodePort: 30007\n`,
    /^8:17 spec\.ports\[0\]\.nodePort: Forbidden: .*\(type: NodePort, or leave nodePort out\)$/,
  ],
  [
    'a protocol in small letters',
    `${HEAD}spec:\n  ports:\n    - port: 80\n      protocol: tcp\n`,
    /^8:17 .*\(protocol: TCP\)$/,
  ],
  [
    'an affinity in other capitals',
    `${HEAD}spec:\n  sessionAffinity: clientIP\n${PORTS}`,
    /^6:20 .*\(sessionAffinity: ClientIP\)$/,
  ],
  [
    'none in small letters',
    `${HEAD}spec:\n  clusterIP: none\n${PORTS}`,
    /^6:14 spec\.clusterIPs\[0\]: .*\(clusterIP: None\)$/,
  ],
  [
    'an external name as URL',
    `${HEAD}spec:\n  type: ExternalName\n  externalName: https://db.example.com/x\n`,
    /^7:17 .*\(the name of the host alone: db\.example\.com\)$/,
  ],
  [
    'an external name without its type',
    `${HEAD}spec:\n  externalName: db.example.com\n`,
    /^6:17 .*\(type: ExternalName\)$/,
  ],
  [
    'a kind in other capitals',
    `${HEAD.replace('kind', 'Kind')}spec:\n${PORTS}`,
    /^2:7 kind: Required value \(write kind instead of Kind\)$/,
  ],
  [
    'a kind that is not declared',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: nginx\n',
    /^2:7 kind: no matches for kind "Pod" in version "v1" \(the registry has instances instead of pods/,
  ],
  [
    'no ports',
    `${HEAD}spec:\n  selector:\n    app: nginx\n`,
    /^5:1 spec\.ports: Required value \(list at least one port/,
  ],
  ['a text that is no manifest', 'hello\n', /^1:1 : expected a manifest/],
])('%s', (_what, text, expected) => {
  const faults = faultsOf(text);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(expected);
});

const SCALARS = [
  '  type: NodePort',
  '  clusterIP: None',
  '  sessionAffinity: ClientIP',
  '  externalTrafficPolicy: Local',
  '  internalTrafficPolicy: Local',
  '  publishNotReadyAddresses: true',
  '  allocateLoadBalancerNodePorts: false',
  '  healthCheckNodePort: 30001',
  '  type: LoadBalancer\n  loadBalancerIP: 192.0.2.1',
  '  loadBalancerClass: example.com/a',
  '  trafficDistribution: PreferClose',
  '  sessionAffinity: ClientIP\n  sessionAffinityConfig:\n    clientIP:\n      timeoutSeconds: 10',
  '  selector: { app: nginx }',
  '  selector:\n    app: nginx',
  '  externalIPs:\n    - 192.0.2.1',
  '  ipFamilyPolicy: "SingleStack"',
  '  ports:\n    - port: 80',
  '  ports:\n    - targetPort: 80\n      port: 80',
  '  ports:\n    - port: 80\n      targetPort: 80',
  '  ports:\n    - port: 80\n      targetPort: http',
  '  ports:\n    - port: 80\n      nodePort: 30080',
  '  ports:\n    - port: 80\n      protocol: TCP',
  '  ports:\n    - port: 80\n      name: http',
  '  ports:\n    - port: 80\n      appProtocol: http',
];
const SIGNS: readonly (readonly [text: string, sign: string])[] = [
  ['   --service-port', '--'],
  [" -- the service's port", '--'],
  ['  //port', '//'],
  [' // the port', '//'],
  [' ; the port', ';'],
  [' ;the port', ';'],
  [' /* the port */', '/*'],
  [' /*port*/', '/*'],
  [' <!-- port -->', '<!--'],
];

test.each(SIGNS)('no value of a service is taken with%s', (text, sign) => {
  for (const scalar of SCALARS) {
    const isPort = scalar.includes('ports:');
    const faults = faultsOf(`${HEAD}spec:\n${scalar}${text}\n${isPort ? '' : PORTS}`);
    const [line, column] = placeAtEnd(`${HEAD}spec:\n${scalar}${text.split(sign)[0]}`);
    const expected = `${line}:${column} : '${sign}' is no comment in YAML: the rest of the line is taken as a value (write # instead of ${sign})`;
    expect({ scalar, faults }).toEqual({ scalar, faults: [expected] });
  }
});

/** Where a text ends, both from 1. */
function placeAtEnd(text: string): [line: number, column: number] {
  const lines = text.split('\n');
  return [lines.length, (lines.at(-1)?.length ?? 0) + 1];
}

test.each([
  [
    'a line of its own',
    '// the service\n',
    /^1:1 : '\/\/' is no comment in YAML: the line is taken/,
  ],
  ['a line without a space', '//the service\n', /^1:1 : '\/\/' is no comment/],
  ['a line of a query', '-- the service\n', /^1:1 : '--' is no comment/],
  ['a line of a settings file', '; the service\n', /^1:1 : ';' is no comment/],
  ['several lines', '/* the service\n * of nginx */\n', /^1:1 : '\/\*' is no comment/],
])('a comment of another language on %s', (_, comment, expected) => {
  expect(faultsOf(`${comment}${HEAD}spec:\n${PORTS}`)).toEqual([expect.stringMatching(expected)]);
});

test.each([
  ['80;', /^7:15 : ';' ends no line in YAML: .* \(leave the ; out\)$/],
  ['80; // web', /^7:1[57] : '(;|\/\/)' is no comment/],
  ['80//web', /^7:15 : '\/\/' is no comment/],
  ['80#web', /^7:15 : no space before #: .* \(write a space before #\)$/],
])('behind a number without a space: %s', (value, expected) => {
  expect(faultsOf(`${HEAD}spec:\n  ports:\n    - port: ${value}\n`)).toEqual([
    expect.stringMatching(expected),
  ]);
});

test('an option, a path or a semicolon in a note is spoken of only where its line is wrong', () => {
  const notes = `  annotations:\n    a: nginx --port 80\n    b: one; two ;\n    c: see //docs/*\n`;
  expect(faultsOf(`${HEAD}${notes}spec:\n${PORTS}`)).toEqual([]);
  const faults = faultsOf(`${HEAD}${notes}spec:\n  type: clusterIP\n${PORTS}`);
  expect(faults).toEqual([expect.stringMatching(/^10:9 spec\.type: Unsupported value/)]);
});

test('what is right is taken, whatever stands in its notes', () => {
  const notes = `  annotations:\n    a: it’s “nginx” -- the web server // really\n    b: |\n      $ kubectl get svc\n      \`\`\`\n      type:NodePort\n`;
  expect(faultsOf(`${HEAD}${notes}spec:\n${PORTS}`)).toEqual([]);
});

test('what a note has beside a fault does not hide the fault', () => {
  const text = `${HEAD}  annotations:\n    a: it’s\nspec:\n  type: clusterIP\n${PORTS}`;
  expect(faultsOf(text)).toContainEqual(
    expect.stringMatching(/^8:9 spec\.type: Unsupported value/),
  );
});
