import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

interface Packed {
  readonly version?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: unknown;
}

/** Everything for which a user could not install, import or trust this tarball. */
export function tarballFaults(file: string, version: string): string[] {
  const tar = (...args: string[]) => execFileSync('tar', args, { encoding: 'utf8' });
  const paths = new Set(
    tar('-tzf', file)
      .split('\n')
      .map((path) => path.replace('package/', './')),
  );
  const text = tar('-xzOf', file, 'package/package.json');
  const manifest = JSON.parse(text) as Packed;
  const targets = [...Object.values(manifest.bin ?? {}), ...targetsOf(manifest.exports)];
  const faults = [
    manifest.version === version ? '' : `version: expected ${version}, got ${manifest.version}`,
    ...['workspace:', 'catalog:'].map((word) =>
      text.includes(`"${word}`) ? `package.json contains "${word}", which no registry knows` : '',
    ),
    ...['./LICENSE', './README.md'].map((path) => (paths.has(path) ? '' : `${path} is missing`)),
    ...targets.map((path) => (paths.has(path) ? '' : `package.json names ${path}: it is missing`)),
    ...[...paths].map((path) => (/\.test\.[^/]*$/.test(path) ? `${path} is a test` : '')),
    // A key of the tests protects nothing, but those who scan packages cannot know.
    ...[...paths].map((path) => (/\.(key|pem|p12)$/.test(path) ? `${path} may be a secret` : '')),
    ...outcomeOf('publint', ['run', '--strict', file]),
    // A package that is only a command has no types.
    ...(hasEntries(manifest) ? outcomeOf('attw', ['--profile', 'esm-only', file]) : []),
  ];
  return faults.filter((fault) => fault !== '').map((fault) => `${basename(file)}: ${fault}`);
}

const hasEntries = ({ exports }: Packed) =>
  targetsOf(exports).some((path) => !path.endsWith('.json'));

/** All paths in `exports`. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  return typeof exports === 'object' && exports !== null
    ? Object.values(exports).flatMap(targetsOf)
    : [];
}

/** The output of a program when it fails. */
function outcomeOf(program: string, args: readonly string[]): string[] {
  try {
    execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
    return [];
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as Error & { stdout?: string; stderr?: string };
    return [`${program}: ${`${stdout}${stderr}`.trim() || message}`];
  }
}
