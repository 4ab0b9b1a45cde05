import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { ConfigError, helpText, readConfig } from './config.ts';
import { defaultNodeName, reporterOf } from './compose.ts';
import { OPTIONS } from './options.ts';

const URL_FLAG = '--registry=http://127.0.0.1:7400';

function problems(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): string[] {
  try {
    readConfig(argv, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('a registry is enough, by flag or environment; everything else has a default', () => {
  expect(readConfig([URL_FLAG], {})).toEqual({
    registry: ['http://127.0.0.1:7400'],
    token: undefined,
    allowHost: [],
    namespace: '*',
    nodeName: undefined,
    nodePortAddresses: ['127.0.0.1'],
    loadBalancerIps: false,
    scheduler: 'rr',
    connectMs: 2_000,
    idleMs: 0,
    maxConnections: 50_000,
    io: 'auto',
    udpIdleMs: 30_000,
    udpFlows: 10_000,
    affinityClients: 100_000,
    drainMs: 300_000,
    shutdownMs: 10_000,
    reports: true,
    metrics: { host: '127.0.0.1', port: 7_490 },
    insecureMetrics: false,
  });
  const environment = { ROLLCALL_URL: 'http://a:1,http://b:2', ROLLCALL_TOKEN: 'secret' };
  expect(readConfig([], environment)).toMatchObject({
    registry: ['http://a:1', 'http://b:2'],
    token: 'secret',
  });
  expect(readConfig([URL_FLAG], environment).registry).toEqual(['http://127.0.0.1:7400']);
  expect(readConfig([URL_FLAG, '--metrics=off'], {}).metrics).toBeUndefined();
  expect(readConfig([URL_FLAG, '--metrics=[::1]:80'], {}).metrics).toEqual({
    host: '::1',
    port: 80,
  });
});

test.each([
  [[], '--registry: missing; expected the http:// or https:// url of a registry'],
  [['--registry=redis://a'], '--registry: got "redis://a", expected an http:// or https:// url'],
  [
    [URL_FLAG, '--scheduler=fair'],
    '--scheduler: got "fair", expected one of rr, wrr, lc, wlc, sh, dh, sed, nq',
  ],
  [
    [URL_FLAG, '--drain-ms=soon'],
    '--drain-ms: got "soon", expected a whole number, 0 to 2592000000',
  ],
  [
    [URL_FLAG, '--node-port-addresses=localhost'],
    '--node-port-addresses: got "localhost", expected IP addresses such as 127.0.0.1,10.0.0.5',
  ],
  [[URL_FLAG, '--metrics=7490'], '--metrics: got "7490", expected HOST:PORT or off'],
  [
    [URL_FLAG, '--metrics=0.0.0.0:7490'],
    '--metrics: got "0.0.0.0", expected a loopback address, or --insecure-metrics on',
  ],
  [[URL_FLAG, '--reports=yes'], '--reports: got "yes", expected on or off'],
  [[URL_FLAG, '--namespace=A'], '--namespace: got "A", expected a namespace or *'],
  [[URL_FLAG, '--token='], '--token: expected a token'],
])('%j is refused', (argv, message) => {
  expect(problems(argv)).toEqual([message]);
});

test('all that is wrong is said at once, unknown flags by name, a token never', () => {
  expect(problems(['--scheduler=x', '--reports=y'])).toHaveLength(3);
  expect(problems([URL_FLAG, '--sheduler=rr'])[0]).toContain('--sheduler');
  expect(problems([], { ROLLCALL_URL: 'x' })).toEqual([
    'ROLLCALL_URL: got "x", expected an http:// or https:// url',
  ]);
});

test('the help names every option and every default', () => {
  for (const { flag } of Object.values(OPTIONS)) expect(helpText()).toContain(`--${flag} `);
  expect(helpText()).toContain('(default: 127.0.0.1:7490)');
  expect(helpText()).toContain('(default: 300000)');
});

test('two proxies of one machine report under names of their own', () => {
  const usual = defaultNodeName({ host: '127.0.0.1', port: 7_490 });
  const other = defaultNodeName({ host: '127.0.0.1', port: 7_491 });
  expect(usual).toBe(hostname());
  expect(other).toBe(`${hostname()}-7491`);
  expect(defaultNodeName(undefined)).toBe(`${hostname()}-${process.pid}`);
  expect(reporterOf('Node_1.Example.org')).toBe('node-proxy.node-1.example.org');
});
