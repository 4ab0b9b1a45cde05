import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { ConfigError } from '@rollcall/daemon';
import { helpText, readConfig } from './config.ts';
import { reporterOf } from '@rollcall/service-plane';
import { defaultNodeName } from './compose.ts';
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
    logLevel: 'info',
  });
  const environment = { ROLLCALL_URL: 'http://a:1,http://b:2', ROLLCALL_TOKEN: 'secret' };
  expect(readConfig([], environment)).toMatchObject({
    registry: ['http://a:1', 'http://b:2'],
    token: 'secret',
  });
  expect(readConfig([URL_FLAG], environment).registry).toEqual(['http://127.0.0.1:7400']);
  const several = ['--registry=http://a:1', '--registry=http://b:2,http://c:3', '--no-reports'];
  expect(readConfig(several, { ROLLCALL_NODE_PROXY_DRAIN_MS: '7' })).toMatchObject({
    registry: ['http://a:1', 'http://b:2', 'http://c:3'],
    reports: false,
    drainMs: 7,
  });
  expect(readConfig([URL_FLAG, '--metrics=off'], {}).metrics).toBeUndefined();
  expect(readConfig([URL_FLAG, '--metrics=[::1]:80'], {}).metrics).toEqual({
    host: '::1',
    port: 80,
  });
});

test.each([
  [[], '--registry: missing: expected the http:// or https:// url of a registry'],
  [['--registry=redis://a'], '--registry: expected an http:// or https:// url, got "redis://a"'],
  [
    [URL_FLAG, '--scheduler=fair'],
    '--scheduler: expected one of round-robin, random, p2c, least-outstanding, rr, wrr, lc, wlc, sh, dh, sed, nq, got "fair"',
  ],
  [
    [URL_FLAG, '--drain-ms=soon'],
    '--drain-ms: expected a whole number, 0 to 2592000000, got "soon"',
  ],
  [
    [URL_FLAG, '--node-port-addresses=localhost'],
    '--node-port-addresses: expected an IP address, got "localhost"',
  ],
  [
    [URL_FLAG, '--metrics=7490'],
    '--metrics: expected an IP address with a port, or off, got "7490"',
  ],
  [
    [URL_FLAG, '--metrics=0.0.0.0:7490'],
    '--metrics: expected a loopback address, or --insecure-metrics, got "0.0.0.0"',
  ],
  [
    [URL_FLAG, '--reports=yes'],
    "Option '--reports' does not take an argument (--help lists the options)",
  ],
  [[URL_FLAG, '--namespace=A'], '--namespace: expected a namespace or *, got "A"'],
  [[URL_FLAG, '--token='], '--token: expected a token, got (not shown)'],
])('%j is refused', (argv, message) => {
  expect(problems(argv)).toEqual([message]);
});

test('all that is wrong is said at once, unknown flags by name, a token never', () => {
  expect(problems(['--scheduler=x', '--drain-ms=y'])).toHaveLength(3);
  expect(problems([URL_FLAG, '--sheduler=rr'])[0]).toContain('--sheduler');
  expect(problems([], { ROLLCALL_URL: 'x' })).toEqual([
    'ROLLCALL_URL: expected an http:// or https:// url, got "x"',
  ]);
});

test('the help names every option and every default', () => {
  for (const { flag } of Object.values(OPTIONS))
    expect(helpText()).toMatch(new RegExp(`--(\\[no-\\])?${flag}\\b`));
  expect(helpText()).toContain('[default: 127.0.0.1:7490]');
  expect(helpText()).toContain('[default: 300000]');
});

test('two proxies of one machine report under names of their own', () => {
  const usual = defaultNodeName({ host: '127.0.0.1', port: 7_490 });
  const other = defaultNodeName({ host: '127.0.0.1', port: 7_491 });
  expect(usual).toBe(hostname());
  expect(other).toBe(`${hostname()}-7491`);
  expect(defaultNodeName(undefined)).toBe(`${hostname()}-${process.pid}`);
  expect(reporterOf('node-proxy', 'Node_1.Example.org')).toBe('node-proxy.node-1.example.org');
  const long = [7_490, 7_491].map((port) => reporterOf('node-proxy', `${'h'.repeat(60)}-${port}`));
  expect(new Set(long).size).toBe(2);
  for (const reporter of long) expect(reporter).toMatch(/^node-proxy\.h+-[0-9a-f]{8}$/);
  expect(Math.max(...long.map(({ length }) => length))).toBe(63);
});
