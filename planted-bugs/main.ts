// Puts each planted bug into a copy of the workspace and runs the test that must notice it. Prints the results, and
// exits with 1 if a bug was not noticed. --promise G5: only the bugs of that promise.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PLANTED_BUGS, type PlantedBug } from './bugs.ts';
import { WorkspaceCopy } from './copy.ts';

const { values } = parseArgs({ options: { promise: { type: 'string' } } });
const workspace = fileURLToPath(new URL('..', import.meta.url));
const bugs = PLANTED_BUGS.filter(
  ({ promise }) => values.promise === undefined || promise === values.promise,
);
if (bugs.length === 0) throw new Error(`--promise: expected G1 to G8, got ${values.promise}`);

type Result = 'noticed' | 'NOT NOTICED' | 'fails without it';

/** Whether a test passes in the copy. A name that matches no test does not count as a pass. */
function passes(root: string, { file, name }: PlantedBug['test']): boolean {
  const pattern = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const output = join(root, 'report.json');
  rmSync(output, { force: true });
  const named = ['-t', pattern, '--project', 'all', '--project', 'timed'];
  const args = ['run', file, ...named, '--reporter', 'json', '--outputFile', output];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  });
  if (!existsSync(output)) throw new Error(`${file} could not be run: ${stdout}${stderr}`);
  const report = JSON.parse(readFileSync(output, 'utf8')) as {
    readonly success: boolean;
    readonly numPassedTests: number;
  };
  return report.success && report.numPassedTests > 0;
}

function check(root: string, { file, find, replace, test }: PlantedBug): Result {
  const path = join(root, file);
  const sound = readFileSync(path, 'utf8');
  if (!passes(root, test)) return 'fails without it';
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  );
  try {
    return passes(root, test) ? 'NOT NOTICED' : 'noticed';
  } finally {
    writeFileSync(path, sound);
  }
}

const copy = new WorkspaceCopy(workspace);
let unnoticed = 0;
try {
  for (const bug of bugs) {
    const beganMs = performance.now();
    const result = check(copy.root, bug);
    if (result !== 'noticed') unnoticed++;
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(0);
    console.log(`${bug.promise} ${result}: ${bug.what}\n     ${bug.test.file} (${seconds} s)`);
  }
} finally {
  copy.close();
}
console.log(`${bugs.length - unnoticed} of ${bugs.length} planted bugs were noticed`);
process.exitCode = unnoticed === 0 ? 0 : 1;
