import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from './config-file.ts';
import { ConfigError } from './problem.ts';

const SMALLEST = `registry:
  url: http://127.0.0.1:7400
listeners:
  - name: web
    port: 8080
    default: { targetGroup: hello }
targetGroups:
  hello: { service: hello }
`;

function errors(text: string, environment: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    parseConfig(text, 'lb.yaml', environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

test('the smallest file gets every default', () => {
  const config = parseConfig(SMALLEST, 'lb.yaml', {});
  expect(config.registry?.url).toEqual(['http://127.0.0.1:7400']);
  expect(config.listeners[0]).toMatchObject({ host: '127.0.0.1', protocol: 'http', rules: [] });
  expect(config.admin).toEqual({ host: '127.0.0.1', port: 7480, insecure: false, allowHosts: [] });
  expect(config.targetGroups['hello']).toMatchObject({
    namespace: 'default',
    policy: 'round-robin',
    deregistrationDelayMs: 30_000,
    ejection: { baseMs: 1_000 },
  });
  expect(config.timeouts.responseMs).toBe(60_000);
  expect(config.accessLog).toEqual({ file: 'stdout', format: 'json', sample: 1 });
});

test('a health check gets its defaults when it is named', () => {
  const config = parseConfig(
    SMALLEST.replace('{ service: hello }', '{ service: hello, healthCheck: {} }'),
    'lb.yaml',
    {},
  );
  expect(config.targetGroups['hello']?.healthCheck).toMatchObject({
    enabled: true,
    path: '/',
    codes: '200-299',
  });
});

const GROUP = 'hello: { service: hello';
const CASES: [string, string, string, string][] = [
  [
    'a port out of range',
    'port: 8080',
    'port: 70000',
    'lb.yaml:5:11: listeners[0].port: bad value, got 70000, expected a port from 0 to 65535',
  ],
  [
    'a port that is text',
    'port: 8080',
    'port: http',
    'lb.yaml:5:11: listeners[0].port: bad value, got "http", expected a port from 0 to 65535',
  ],
  [
    'an unknown key',
    'port: 8080',
    'port: 8080\n    tsl: true',
    'lb.yaml:6:5: listeners[0].tsl: unknown key, got "tsl", expected one of name, host, port, protocol, tls, passRequestTrailers, rules, default; did you mean tls?',
  ],
  [
    'an unknown key of a group',
    GROUP,
    `${GROUP}, weights: 1`,
    'lb.yaml:8:28: targetGroups.hello.weights: unknown key, got "weights", expected one of service, targets, dns, namespace, port, policy, scheme, tls, healthCheck, retry, failOpenBelow, preferZone, zoneSpillBelow, stickiness, slowStartMs, maxRequestsPerTarget, queue, deregistrationDelayMs, ejection',
  ],
  [
    'an unknown key of a mapping that may be a word too',
    'default: { targetGroup: hello }',
    'default: { redirect: { hots: a } }',
    'lb.yaml:6:28: listeners[0].default.redirect.hots: unknown key, got "hots", expected one of scheme, host, port, path, prefix, query, status; did you mean host?',
  ],
  [
    'a wrong value in such a mapping',
    'default: { targetGroup: hello }',
    'default: { redirect: { port: 0 } }',
    'lb.yaml:6:34: listeners[0].default.redirect.port: bad value, got 0, expected a port from 1 to 65535',
  ],
  [
    'a missing key',
    '{ service: hello }',
    '{ port: http }',
    'lb.yaml:8:10: targetGroups.hello.service: missing, expected the name of a service, or targets or dns',
  ],
  [
    'an unknown target group',
    'targetGroup: hello',
    'targetGroup: helo',
    'lb.yaml:6:29: listeners[0].default.targetGroup: no such target group, got "helo", expected one of hello',
  ],
  [
    'an action that is none',
    '{ targetGroup: hello }',
    '{}',
    'lb.yaml:6:14: listeners[0].default: no single action, got none, expected one of targetGroup, forward, fixedResponse, redirect',
  ],
  [
    'an unknown policy',
    GROUP,
    `${GROUP}, policy: xx`,
    'lb.yaml:8:36: targetGroups.hello.policy: bad value, got "xx", expected one of round-robin, random, p2c, least-outstanding, rr, wrr, lc, wlc, sed, nq',
  ],
  [
    'a url of another kind',
    'http://127.0.0.1:7400',
    'redis://a',
    'lb.yaml:2:8: registry.url: bad value, got "redis://a", expected an http:// or https:// url',
  ],
  [
    'bad status codes',
    GROUP,
    `${GROUP}, healthCheck: { codes: 2xx }`,
    'lb.yaml:8:50: targetGroups.hello.healthCheck.codes: bad value, got "2xx", expected status codes like 200-299,301',
  ],
  [
    'a queue without a limit',
    GROUP,
    `${GROUP}, queue: { length: 5 }`,
    'lb.yaml:8:28: targetGroups.hello.queue: of no use, got no maxRequestsPerTarget, expected that limit besides',
  ],
  [
    'a preference of a zone that is not known',
    GROUP,
    `${GROUP}, preferZone: true`,
    'lb.yaml:8:28: targetGroups.hello.preferZone: of no use, got no zone, expected the zone of the balancer at the top',
  ],
  [
    'an admin port for everybody',
    'registry:',
    'admin: { host: 0.0.0.0 }\nregistry:',
    'lb.yaml:1:16: admin.host: reachable from outside, got "0.0.0.0", expected a loopback address, or admin.insecure: true',
  ],
  [
    'an address taken by another listener',
    'listeners:',
    'listeners:\n  - { name: first, port: 8080, default: { targetGroup: hello } }',
    'lb.yaml:6:11: listeners[1].port: address used twice, got 127.0.0.1:8080, expected another than that of listeners[0].port',
  ],
  [
    'the address of the admin port',
    'port: 8080',
    'port: 7480',
    'lb.yaml:5:11: listeners[0].port: address used twice, got 127.0.0.1:7480, expected another than that of admin.port',
  ],
  [
    'a rule that another one hides',
    'default:',
    'rules: [{ path: /a, targetGroup: hello }, { path: /a, targetGroup: hello }]\n    default:',
    'lb.yaml:6:47: listeners[0].rules[1]: rule used twice, got host * and path /a, expected another than that of listeners[0].rules[0]',
  ],
  [
    'a path with a query',
    'default:',
    'rules: [{ path: /a?b, targetGroup: hello }]\n    default:',
    'lb.yaml:6:21: listeners[0].rules[0].path: bad value, got "/a?b", expected a path like /exact or /prefix/*, without query',
  ],
  [
    'a group whose name is none',
    'hello: {',
    'He_llo: {',
    'lb.yaml:8:3: targetGroups.He_llo: bad name, got "He_llo", expected a name: at most 63 of a-z, 0-9 and "-", not at either end',
  ],
  [
    'a token of the wrong kind, which is not shown',
    'registry:',
    'registry:\n  token: [secret]',
    'lb.yaml:2:10: registry.token: bad value, got (not shown), expected a token',
  ],
  [
    'an unset variable',
    'http://127.0.0.1:7400',
    '${REGISTRY}',
    'lb.yaml:2:8: environment variable REGISTRY is not set, expected it to be set, or a default as in ${REGISTRY:-value}',
  ],
];

test.each(CASES)('%s', (_name, from, to, expected) => {
  expect(SMALLEST).toContain(from);
  expect(errors(SMALLEST.replace(from, to))).toContain(expected);
});

test('all errors come at once, in the order of the file', () => {
  const text = SMALLEST.replace('8080', '-1')
    .replace('targetGroup: hello', 'targetGroup: nobody')
    .replace('service: hello', 'policy: x');
  expect(errors(text).map((line) => line.slice(0, 12))).toEqual([
    'lb.yaml:5:11',
    'lb.yaml:6:29',
    'lb.yaml:8:10',
    'lb.yaml:8:20',
  ]);
});

test.each([
  ['not YAML', 'listeners: [', /^lb\.yaml:1:\d+: not YAML: /],
  ['a key twice', `${SMALLEST}registry: {}`, /^lb\.yaml:9:1: not YAML: Map keys must be unique/],
  ['an empty file', '', /^lb\.yaml:1:1: listeners: missing, expected a list of listeners$/],
  ['a list', '- a', /^lb\.yaml:1:1: file: bad value, got \["a"\], expected a mapping$/],
])('%s is an error with a place', (_name, text, expected) => {
  expect(errors(text)[0]).toMatch(expected);
});

test('environment variables stand for values; numbers stay numbers, quoted ones text', () => {
  const text = SMALLEST.replace('8080', '${PORT:-9090}').replace(
    'registry:',
    'registry:\n  token: "${TOKEN}"',
  );
  const config = parseConfig(text, 'lb.yaml', { TOKEN: '0123' });
  expect(config.listeners[0]?.port).toBe(9090);
  expect(config.registry?.token).toBe('0123');
  expect(parseConfig(text, 'lb.yaml', { TOKEN: 'x', PORT: '81' }).listeners[0]?.port).toBe(81);
});

test('a public listener is what a balancer is for; a public admin port has to be asked for', () => {
  const text = SMALLEST.replace('port: 8080', 'port: 8080\n    host: 0.0.0.0');
  expect(errors(text)).toEqual([]);
  expect(errors(`admin: { host: "::", insecure: true }\n${text}`)).toEqual([]);
  expect(errors(`admin: { host: "::1" }\n${text}`)).toEqual([]);
  expect(errors(`admin: { host: example.org }\n${text}`)).toHaveLength(1);
});

test('the example of the README is a valid file', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const config = parseConfig(example, 'README.md', { ROLLCALL_TOKEN: 'x' });
  expect(config.listeners[0]?.rules).toHaveLength(3);
  expect(config.targetGroups['api']?.healthCheck?.intervalMs).toBe(5_000);
});

test('an alias that leads nowhere is told with its place', () => {
  expect(() => parseConfig('registry: { url: *nowhere }', 'lb.yaml', {})).toThrow(
    /^lb\.yaml:1:18: Unresolved alias/,
  );
});
