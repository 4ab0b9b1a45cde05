// `npm run release -- [VERSION] [--dry-run]`: builds, packs and checks every package, then sets the version and tags it.
//
// Everything happens in a copy of HEAD, so a failed release changes nothing. In release/ are the tarballs for npm, one with
// all libraries for those who do without npm, and the SBOM; the steps of the image are checked too. With --dry-run it stops
// before the tag. It does not publish: it prints the commands for that.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeArchive, tryArchive } from './archive.ts';
import { withRelease } from './changelog.ts';
import { tarballFaults } from './tarball-faults.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
}

const manifestAt = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

const NUMBER = String.raw`(0|[1-9]\d*)`;
const WORD = '[0-9A-Za-z-]+';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-${WORD}(\\.${WORD})*)?$`);

/** A mistake of the person, or a package that is not fit: shown without a stack. */
class ReleaseError extends Error {}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
const git = (...args: string[]) => run('git', args, root).trim();

/** Packs every package that is published, with this version, in a copy of the repository. Returns the tarballs. */
function packIn(copy: string, version: string): string[] {
  run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--trust-lockfile'], copy);
  const files = globSync('packages/*/package.json', { cwd: copy })
    .map((file) => join(copy, file))
    .filter((file) => manifestAt(file).private !== true);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/^ {2}"version": ".*"/m, `  "version": "${version}"`));
  }
  const dockerfile = join(copy, 'Dockerfile');
  const steps = readFileSync(dockerfile, 'utf8');
  writeFileSync(dockerfile, steps.replace(/^ARG VERSION=.*/m, `ARG VERSION=${version}`));
  const changelog = join(copy, 'CHANGELOG.md');
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, withRelease(readFileSync(changelog, 'utf8'), version, day));
  const target = join(copy, 'release');
  mkdirSync(target);
  for (const file of files) run('pnpm', ['pack', '--pack-destination', target], dirname(file));
  return globSync('*.tgz', { cwd: target })
    .toSorted()
    .map((name) => join(target, name));
}

function showSize(file: string): void {
  const kib = (statSync(file).size / 1_024).toFixed(0);
  console.log(`${kib.padStart(6)} KiB  ${basename(file)}`);
}

/** The tarball with all libraries, and the image: made and started. */
async function makeWhole(copy: string, version: string): Promise<void> {
  const time = run('git', ['log', '-1', '--format=%ct'], copy).trim();
  const archive = makeArchive({ root: copy, version, time }, join(copy, 'release'));
  showSize(archive);
  await tryArchive(archive, version);
  const image = ['--conditions=@rollcall/source', 'scripts/image/main.ts'];
  console.log(run('node', image, copy).trim().split('\n').at(-1));
}

function tagIn(copy: string, tag: string): void {
  const message = `release: ${tag.slice(1)}`;
  if (run('git', ['status', '--porcelain'], copy) !== '') {
    run('git', ['commit', '--all', '--quiet', '--message', message], copy);
  }
  run('git', ['tag', '--annotate', tag, '--message', message], copy);
  git('merge', '--ff-only', '--quiet', tag);
  console.log(`${tag} is tagged. To publish it:

  git push --follow-tags
  for file in release/*.tgz; do npm publish "$file"; done
  docker build -t rollcall/rollcall:${tag.slice(1)} .

and show release/*.tar.gz and release/*.cdx.json with the release.`);
}

/**
 * Names the tarballs that take the place of packages which no registry has yet: pnpm, yarn and bun look up what a package
 * needs in the registry, even if its tarball is installed beside it.
 */
function writeOverrides(tarballs: readonly string[], version: string): void {
  const overrides = tarballs.map((file) => {
    const name = basename(file)
      .replace(`-${version}.tgz`, '')
      .replace(/^rollcall-/, '@rollcall/');
    return [name, `file:${join(root, 'release', basename(file))}`];
  });
  const text = JSON.stringify(Object.fromEntries(overrides), null, 2);
  writeFileSync(join(root, 'release', 'overrides.json'), `${text}\n`);
}

async function release(wanted: string | undefined, isDry: boolean): Promise<void> {
  const version = wanted ?? manifestAt(join(root, 'packages/contract/package.json')).version;
  if (!VERSION.test(version)) {
    throw new ReleaseError(`VERSION: expected one such as 1.2.3 or 1.2.3-rc.1, got "${version}"`);
  }
  const tag = `v${version}`;
  // Files that git does not know are not in HEAD, and so not in the release.
  if (git('status', '--porcelain', '--untracked-files=no') !== '') {
    throw new ReleaseError('commit or remove your changes first: the release is made of HEAD');
  }
  if (git('tag', '--list', tag) !== '') throw new ReleaseError(`the tag ${tag} exists already`);
  const copy = mkdtempSync(join(tmpdir(), 'rollcall-release-'));
  try {
    git('worktree', 'add', '--quiet', '--detach', copy, 'HEAD');
    const tarballs = packIn(copy, version);
    tarballs.forEach(showSize);
    const faults = tarballs.flatMap((file) => tarballFaults(file, version));
    if (faults.length > 0) throw new ReleaseError(faults.join('\n'));
    await makeWhole(copy, version);
    rmSync(join(root, 'release'), { recursive: true, force: true });
    cpSync(join(copy, 'release'), join(root, 'release'), { recursive: true });
    writeOverrides(tarballs, version);
    if (!isDry) tagIn(copy, tag);
    else
      console.log(
        `${tag} is fit to be released. Nothing was changed; the tarballs are in release/`,
      );
  } finally {
    git('worktree', 'remove', '--force', copy);
  }
}

try {
  const options = { 'dry-run': { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  if (positionals.length > 1) {
    throw new ReleaseError(`expected one VERSION, got ${positionals.join(' ')}`);
  }
  await release(positionals[0], values['dry-run']);
} catch (error) {
  const isTheirs =
    error instanceof ReleaseError ||
    (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (isTheirs !== true) throw error;
  console.error(`release: ${(error as Error).message}`);
  process.exitCode = 1;
}
