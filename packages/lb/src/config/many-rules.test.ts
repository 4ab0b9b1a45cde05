import { expect, test } from 'vitest';
import { loadConfig } from './config-file.ts';

const RULES = 10_000;

const SETS: Readonly<Record<string, (at: number) => string>> = {
  'hosts and paths': (at) => `host: h${at % 100}.test, path: /p${at}/*`,
  'paths one below the other': (at) => `path: /${'a/'.repeat(at % 40)}p${at}`,
  'one path and 10,000 values': (at) => `path: /a, headers: { x-tenant: t${at} }`,
  'expressions that begin alike': (at) => `path: { regex: "/v1/[a-z]+/${at}" }`,
  'many networks': (at) => `sources: [10.${at >> 8}.${at & 255}.0/24]`,
  'all overlap': (at) => `query: { q${at}: a }`,
  priorities: (at) => `priority: ${at + 1}, host: "*.h${at % 10}.test", path: /a/*`,
};

const textOf = (ruleOf: (at: number) => string): string => {
  const rules = Array.from(
    { length: RULES },
    (_, at) => `      - { ${ruleOf(at)}, targetGroup: a }`,
  );
  return `registry: { url: http://127.0.0.1:1 }
listeners:
  - name: web
    port: 80
    rules:
${rules.join('\n')}
targetGroups: { a: { service: a } }
`;
};

// A machine that is busy with other things may be several times slower.
test.each(Object.entries(SETS))(
  '10,000 rules are looked at in about a second: %s',
  (_name, ruleOf) => {
    const loaded = loadConfig(textOf(ruleOf), 'lb.yaml', {});
    const before = performance.now();
    const found = loaded.warnings();
    const tookMs = performance.now() - before;
    expect(tookMs).toBeLessThan(3_000);
    expect(found.length).toBeLessThanOrEqual(RULES);
  },
);
