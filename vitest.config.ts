import { defaultServerConditions } from 'vite';
import { configDefaults, defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript source, so no test needs a build first.
// `ssr` covers the tests, `__vitest__` covers globalSetup and setupFiles.
const resolve = { conditions: ['@rollcall/source', ...defaultServerConditions] };
/** Tests that measure how long something takes: beside others they would measure those. */
const TIMED = [
  'packages/client-sdk/src/calls/call-settings.test.ts',
  'packages/client-sdk/src/grpc/grpc.test.ts',
  'packages/client-sdk/src/keep-alive.test.ts',
  'packages/client-sdk/src/stampede.registry.test.ts',
  'packages/lb/src/config/many-rules.test.ts',
  'packages/lb/src/rates.test.ts',
  'packages/node-proxy/src/compose.test.ts',
  'packages/registry-server/src/http/load/guard-load.test.ts',
  'packages/registry-server/src/http/load/loop-cost.test.ts',
  'packages/registry-server/src/http/quota.test.ts',
  'packages/registry-server/src/watch/flapping.test.ts',
  'packages/registry-server/src/watch/holds.redis.test.ts',
  'packages/registry-server/src/watch/watch.test.ts',
  'test/failover.test.ts',
  'test/robustness/clocks.test.ts',
  'test/robustness/kills.test.ts',
];

const OVER_TLS = [
  'packages/dataplane/src/http/**/*.test.ts',
  'packages/dataplane/src/io/net-transport.test.ts',
  'packages/dataplane/src/io/tls/**/*.test.ts',
];

const report = process.env['TEST_REPORT'];

export default defineConfig({
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    globalSetup: ['./vitest.setup.ts'],
    setupFiles: ['./vitest.random.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    // Slow machines are no failures: what is waited for is a condition, and patience costs nothing where it comes true.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 30_000 } },
    // On two cores: two at once left half a core unused, since most of them start processes and wait for these. Many
    // more would only make each other slow.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          // What measures a time comes afterwards, by itself.
          exclude: [...configDefaults.exclude, ...TIMED],
          include: [
            'packages/*/src/**/*.test.ts',
            'planted-bugs/**/*.test.ts',
            'scripts/**/*.test.ts',
            'simulation/**/*.test.ts',
            'test/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'handles',
          // The data plane has two ways of doing TCP; the tests of what stands on them run over both.
          include: [
            'packages/dataplane/src/{http,io,tcp}/**/*.test.ts',
            'packages/service-plane/src/plane/**/*.test.ts',
          ],
          env: { TEST_IO: 'handle' },
        },
      },
      {
        extends: true,
        test: {
          name: 'tls',
          // HTTP over TLS, from clients and to targets, must be as strict and as patient as over TCP.
          include: OVER_TLS,
          env: { TEST_IO: 'tls' },
        },
      },
      {
        extends: true,
        test: { name: 'tls-handles', include: OVER_TLS, env: { TEST_IO: 'tls-handle' } },
      },
      {
        extends: true,
        test: {
          name: 'timed',
          include: [...TIMED],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
