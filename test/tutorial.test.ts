import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { withOutputs } from './support/console.ts';
import { isInstalled } from './support/installed.ts';
import { PastedDocument } from './support/pasted-document.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'docs/kubernetes-services.md');
let pasted: PastedDocument | undefined;
afterEach(() => pasted?.close());

/** What differs from run to run, taken out: ages, who registered first, how wide columns are. */
function settled(text: string): string {
  return text
    .replaceAll(/\b\d+(s|m|h|d)(\d+[smh])?\b/g, 'AGE')
    .replaceAll(/-{2,}/g, '--')
    .replaceAll(/(Registered +AGE) +nginx-\d/g, '$1 nginx-N')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

test.runIf(isInstalled('curl'))(
  'the walk through Kubernetes Services, pasted at once, prints what it says',
  async () => {
    pasted = await PastedDocument.open(file, [7400, 7453, 7480, 7490, 8053]);
    const played = await pasted.played(240_000);
    if (process.env['WRITE_DOCS'] === '1') {
      const outputs = played.map(({ seen }) => seen.output);
      writeFileSync(file, withOutputs(readFileSync(file, 'utf8'), outputs));
    }
    for (const { step, seen } of played) {
      const { command, output } = step;
      expect(`$ ${command}\n${settled(seen.output)}`).toBe(`$ ${command}\n${settled(output)}`);
      // Only what the text shows as refused may fail.
      expect(seen.exitCode === 0, command).toBe(!output.includes('is invalid'));
    }
    await pasted.ended();
  },
  270_000,
);
