import { globSync, readFileSync } from 'node:fs';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/** What a test that is more than a unit mentions: Redis, whole servers, processes. */
const NEEDS =
  /redisUrl|findRedisBinary|Redis(Process|Sentinel|Cluster)|startTestServer|startRegistryServer|startNode|TestProcess|TestCli|node:child_process/;

/** Tests that wait for real time, and those of other people's programs. */
const SLOW =
  /\.programs\.test\.ts$|compose|client-sdk\/src\/(registry|registration|calls\/crash|service\/shared)|foreign-undici|dataplane\/src\/http\/http-server\.(stall|close|failure)/;

const isUnit = (file: string) => !SLOW.test(file) && !NEEDS.test(readFileSync(file, 'utf8'));

const resolve = { conditions: ['@rollcall/source', ...defaultServerConditions] };

// `npm run test:unit`: the tests that need neither Redis nor a second process, in seconds.
export default defineConfig({
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    setupFiles: ['./vitest.random.ts'],
    include: globSync('packages/*/src/**/*.test.ts').filter(isUnit),
    testTimeout: 90_000,
    expect: { poll: { timeout: 30_000 } },
    // One process for many files: none of these changes what the next one finds.
    isolate: false,
    // They wait more than they work.
    maxWorkers: 6,
  },
});
