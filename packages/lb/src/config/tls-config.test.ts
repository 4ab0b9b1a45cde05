import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TlsFiles } from '../testing/tls-files.ts';
import { parseConfig } from './config-file.ts';
import { ConfigError } from './problem.ts';

const REST = `registry: { url: http://127.0.0.1:7400 }
targetGroups: { hello: { service: hello } }
`;

function errors(text: string): readonly string[] {
  try {
    parseConfig(text, 'lb.yaml', {});
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

function listeners(...list: string[]): string {
  return `listeners:\n${list.map((one) => `  - { ${one} }\n`).join('')}${REST}`;
}

/** One https listener with these keys below `tls`. */
function https(tls: string, listener = 'name: web, port: 8443, default: { targetGroup: hello }') {
  return listeners(`${listener}, protocol: https, tls: { ${tls} }`);
}

test('an https listener gets its defaults', () => {
  const files = new TlsFiles();
  const { cert, key } = files.issue('a', { names: ['a.test'] }).files;
  const config = parseConfig(
    https(`certificates: [{ cert: ${cert}, key: ${key} }]`),
    'lb.yaml',
    {},
  );
  expect(config.listeners[0]?.tls).toEqual({
    certificates: [{ cert, key }],
    minVersion: 'TLSv1.2',
    unknownNames: 'first',
    verifyClient: 'none',
    sessionTimeoutMs: 3_600_000,
  });
});

test('files that cannot be used: each with its place, the file and the reason', () => {
  const files = new TlsFiles();
  const a = files.issue('a', { names: ['a.test'] }).files;
  const b = files.issue('b', { names: ['b.test'] }).files;
  const old = files.issue('old', { names: ['c.test'], fromDays: -9, toDays: -1 }).files;
  const pairs = [
    `{ cert: ${a.cert}, key: ${b.key} }`,
    `{ cert: ${old.cert}, key: ${old.key} }`,
    '{ cert: /nowhere/x.pem, key: /nowhere/x.key }',
  ];
  const found = errors(
    https(`certificates: [${pairs.join(', ')}], verifyClient: require, clientCa: ${a.key}`),
  );
  expect(found).toEqual([
    expect.stringMatching(
      /^lb\.yaml:2:\d+: listeners\[0\]\.tls\.certificates\[0\]\.key: bad file, got ".*b\.key", expected the private key of the certificate in .*a\.pem$/,
    ),
    expect.stringMatching(
      /^lb\.yaml:2:\d+: listeners\[0\]\.tls\.certificates\[1\]\.cert: bad file, got ".*old\.pem:1", expected a certificate that has not expired, this one did on \d{4}-\d\d-\d\d$/,
    ),
    expect.stringMatching(
      /listeners\[0\]\.tls\.certificates\[2\]\.cert: bad file, got "\/nowhere\/x\.pem", expected a file that can be read \(ENOENT\)$/,
    ),
    expect.stringMatching(
      /listeners\[0\]\.tls\.clientCa: bad file, got ".*a\.key", expected certificates of authorities \(PEM\), found none$/,
    ),
  ]);
});

const WEB = 'name: web, port: 8080, default: { redirect: https }';
const S1 = 'name: s1, port: 8443, protocol: https, default: { targetGroup: hello }';
const S2 = 'name: s2, port: 9443, protocol: https, default: { targetGroup: hello }';

test.each([
  [
    'https without certificates',
    listeners(S1),
    'listeners[0].tls: missing, expected certificates for an https listener',
  ],
  [
    'certificates of a listener that is not https',
    listeners('name: web, port: 80, tls: { certificates: [] }'),
    'listeners[0].tls: of no use, got protocol http, expected protocol: https',
  ],
  [
    'an empty list',
    https('certificates: []'),
    'listeners[0].tls.certificates: bad value, got [], expected at least one certificate, or Secrets of Ingresses: ingress.listener',
  ],
  [
    'clients that nobody can verify',
    https('verifyClient: require'),
    'listeners[0].tls.clientCa: missing, expected a file that verifies the clients',
  ],
  [
    'authorities for nobody',
    https('clientCa: x'),
    'listeners[0].tls.clientCa: of no use, got verifyClient none, expected optional or require',
  ],
  [
    'a version that is too old',
    https('minVersion: TLSv1.1'),
    'listeners[0].tls.minVersion: bad value, got "TLSv1.1", expected TLSv1.2 or TLSv1.3',
  ],
  [
    'an unknown key',
    https('ciphers: x'),
    'listeners[0].tls.ciphers: unknown key, got "ciphers", expected one of certificates, minVersion, unknownNames, verifyClient, clientCa, sessionTimeoutMs',
  ],
  [
    'two actions',
    listeners('name: web, port: 80, default: { redirect: https, targetGroup: hello }'),
    'listeners[0].default: no single action, got targetGroup and redirect, expected one of targetGroup, forward, fixedResponse, redirect',
  ],
  [
    'a redirect elsewhere',
    listeners('name: web, port: 80, default: { redirect: http }'),
    'listeners[0].default.redirect: bad value, got "http", expected https, or a mapping with scheme, host, port, path, prefix, query or status',
  ],
  [
    'a redirect that leads back',
    listeners('name: s, port: 443, protocol: https, default: { redirect: https }'),
    'listeners[0].default.redirect: leads back here, expected it on an http listener only',
  ],
  [
    'a redirect that cannot know where to',
    listeners(WEB, S1, S2),
    'listeners[0].default.redirect: several https listeners, got no port, expected redirect: { port: ... }',
  ],
  [
    'TLS to plain targets',
    `targetGroups: { g: { service: s, tls: { ca: x } } }\nregistry: { url: http://a }\nlisteners: []`,
    'targetGroups.g.tls: of no use, got scheme http, expected scheme: https',
  ],
  [
    'half a client certificate',
    `targetGroups: { g: { service: s, scheme: https, tls: { cert: x } } }\nregistry: { url: http://a }\nlisteners: []`,
    'targetGroups.g.tls: bad value, one of cert and key, expected both or neither',
  ],
])('%s', (_name, text, expected) => {
  expect(errors(text).map((line) => line.replace(/^lb\.yaml:\d+:\d+: /, ''))).toContain(expected);
});

test('a redirect knows its port where there is one https listener, or 443, or when told', () => {
  const about = (text: string) => errors(text).filter((line) => line.includes('redirect'));
  expect(about(listeners(WEB))).toEqual([]);
  expect(about(listeners(WEB, S1))).toEqual([]);
  expect(about(listeners(WEB, S1, S2.replace('9443', '443')))).toEqual([]);
  const told = 'name: web, port: 80, default: { redirect: { port: 9443, status: 307 } }';
  expect(about(listeners(told, S1, S2))).toEqual([]);
});

test('the examples of the docs are valid files', () => {
  const files = new TlsFiles();
  for (const name of ['shop', 'balancer']) files.issue(name, { names: [`${name}.example`] });
  for (const name of ['clients-ca', 'services-ca'])
    files.write(`${name}.pem`, files.authority.cert);
  const pages = ['load-balancer.md', 'from-nginx-and-traefik.md'].map((name) =>
    readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8'),
  );
  const page = pages.join('\n').replaceAll('/etc/rollcall/tls', files.folder);
  const examples = [...page.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)]
    .map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .filter((text) => /^(registry|listeners):/.test(text));
  expect(examples).toHaveLength(11);
  for (const text of examples) expect(errors(text)).toEqual([]);
});
