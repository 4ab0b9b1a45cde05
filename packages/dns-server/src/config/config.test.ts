import { expect, test } from 'vitest';
import { helpText, readConfig } from './config.ts';
import { OPTIONS } from './options.ts';

const URL = '--registry=http://127.0.0.1:7400';

test('every option has a default but the registry', () => {
  expect(readConfig([URL])).toMatchObject({
    registry: ['http://127.0.0.1:7400'],
    host: ['127.0.0.1'],
    port: 8_053,
    zone: 'cluster.local',
    namespace: 'default',
    shortNames: true,
    ttl: 5,
    negativeTtl: 5,
    forward: [],
    metrics: { host: '127.0.0.1', port: 7_453 },
  });
});

test('flags win over the environment', () => {
  const env = {
    ROLLCALL_URL: 'http://a:1,http://b:2',
    ROLLCALL_TOKEN: 't',
    ROLLCALL_DNS_PORT: '53',
  };
  expect(readConfig(['--port=54'], env)).toMatchObject({
    registry: ['http://a:1', 'http://b:2'],
    token: 't',
    port: 54,
  });
});

test('lists, switches and addresses', () => {
  const flags = ['--host=::1', '--host=10.0.0.1', '--no-short-names', '--metrics=off'];
  const config = readConfig([
    URL,
    ...flags,
    '--forward=1.1.1.1',
    '--forward=[::1]:5353',
    '--zone=Corp.Example.',
  ]);
  expect(config).toMatchObject({
    host: ['::1', '10.0.0.1'],
    shortNames: false,
    metrics: 'off',
    zone: 'corp.example',
    forward: [
      { host: '1.1.1.1', port: 53 },
      { host: '::1', port: 5_353 },
    ],
  });
});

test.each([
  [[], '--registry: missing: expected the http:// or https:// url of a registry'],
  [['--registry=nginx'], '--registry: expected an http:// or https:// url, got "nginx"'],
  [[URL, '--port=70000'], '--port: expected a whole number, 0 to 65535, got "70000"'],
  [[URL, '--host=localhost'], '--host: expected an IP address, got "localhost"'],
  [[URL, '--zone=a..b'], '--zone: expected a domain name such as cluster.local, got "a..b"'],
  [
    [URL, '--forward=dns.example'],
    '--forward: expected an IP address, perhaps with :port, got "dns.example"',
  ],
  [[URL, '--metrics=no'], '--metrics: expected an IP address with a port, or off, got "no"'],
  [[URL, '--udp-payload=100'], '--udp-payload: expected a whole number, 512 to 65507, got "100"'],
  [[URL, '--prot=1'], "Unknown option '--prot' (did you mean --port?)"],
  [
    [URL, '--forward=127.0.0.1:8053'],
    '--forward 127.0.0.1:8053: expected another server, this is where this one listens',
  ],
])('%j is refused', (argv, message) => {
  expect(() => readConfig(argv)).toThrow(message);
});

test('all wrong options are told at once, variables by their name, the token never', () => {
  const env = { ROLLCALL_DNS_TTL: 'x', ROLLCALL_TOKEN: 'secret' };
  expect(() => readConfig([URL, '--port=x'], env)).toThrow(
    '--port: expected a whole number, 0 to 65535, got "x"\nROLLCALL_DNS_TTL: expected a whole number, 0 to 86400, got "x"',
  );
});

test('the help has every option with its default', () => {
  for (const { flag, env } of Object.values(OPTIONS)) {
    expect(helpText()).toMatch(new RegExp(`--(\\[no-\\])?${flag}\\b`));
    expect(helpText()).toContain(`(${env})`);
  }
  expect(helpText()).toContain('[default: cluster.local]');
});
