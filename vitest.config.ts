import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript source, so no test needs a build first.
// `ssr` covers the tests, `__vitest__` covers globalSetup and setupFiles.
const resolve = { conditions: ['@rollcall/source', ...defaultServerConditions] };

export default defineConfig({
  ssr: { resolve },
  environments: { __vitest__: { resolve } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['./vitest.setup.ts'],
  },
});
