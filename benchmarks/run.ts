// Runs a benchmark by the name of its folder, several by several names, or `all`. Other arguments are passed to it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = import.meta.dirname;
const names = readdirSync(root)
  .filter((name) => existsSync(join(root, name, 'main.ts')))
  .toSorted();

/** The first sentence of a benchmark's header comment. */
function questionOf(name: string): string {
  const [first = ''] = readFileSync(join(root, name, 'main.ts'), 'utf8').split('\n');
  return first.replace(/^\/\/ /, '');
}

function run(name: string, args: readonly string[]): number {
  process.stdout.write(`# ${name}: ${questionOf(name)}\n\n`);
  const file = join(root, name, 'main.ts');
  // A separate process each: what the compiler learned from one benchmark must not affect the next.
  const { status } = spawnSync(process.execPath, [...process.execArgv, file, ...args], {
    stdio: 'inherit',
  });
  return status ?? 1;
}

const given = process.argv.slice(2);
const wanted = given[0] === 'all' ? names : given.filter((name) => names.includes(name));
const args = given.filter((name) => name !== 'all' && !wanted.includes(name));
if (wanted.length === 0) {
  process.stdout.write('npm run bench -- NAME... | all\n\n');
  for (const name of names) process.stdout.write(`  ${name.padEnd(14)} ${questionOf(name)}\n`);
  process.exitCode = given.length === 0 ? 0 : 2;
} else {
  for (const name of wanted) process.exitCode = run(name, args) || process.exitCode || 0;
}
