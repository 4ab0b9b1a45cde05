import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Made from tables, which hold defaults and limits. */
const GENERATED = /^docs\/(api|cli|errors|options)\.md$/;
/** Its figures have their commands below the table. */
const PROMISES = 'docs/promises.md';

const documents = globSync('{README.md,docs/*.md,packages/*/README.md}', { cwd: root }).filter(
  (name) => !GENERATED.test(name) && name !== PROMISES,
);

/** What only a measurement can tell; durations in ms or s may be defaults and limits as well. */
const MEASURED =
  /\d ?(µs|kB|MB)\b|% of (a|one|its) core|\b(milliseconds|(quarter|tenths?) of a second)\b|\bp(50|99)\b/;
const SOURCE = /`npm run [a-z-]+|vitest run|\.test\.ts|promises\.md|\[[SHW]\]/;

/** Paragraphs, list items and rows of tables. */
function statementsOf(name: string): string[] {
  const text = readFileSync(join(root, name), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
  return text.split(/\n\n|\n(?=[|-] ?)/);
}

/** What states a measurement without a word about where it comes from. */
const unfounded = (statements: readonly string[]) =>
  statements.filter((statement) => MEASURED.test(statement) && !SOURCE.test(statement));

describe('a figure that was measured names the command or the promise that shows it', () => {
  test.each(documents)('%s', (name) => {
    expect(unfounded(statementsOf(name))).toEqual([]);
  });

  test('one that does not is found', () => {
    expect(unfounded(['| a call | 20 µs |', 'Within a quarter of a second.'])).toHaveLength(2);
    expect(unfounded(['20 µs (`npm run bench -- sdk-call`)', 'every 500 ms'])).toEqual([]);
  });
});

test('every benchmark that a document names exists', () => {
  const named = [...documents, PROMISES, ...globSync('docs/decisions/*.md', { cwd: root })].flatMap(
    (name) =>
      [...readFileSync(join(root, name), 'utf8').matchAll(/npm run bench -- ([a-z-]+)/g)].map(
        ([, benchmark]) => benchmark as string,
      ),
  );
  expect(named.length).toBeGreaterThan(3);
  for (const name of new Set(named)) {
    expect(existsSync(join(root, 'benchmarks', name, 'main.ts')), name).toBe(true);
  }
});
