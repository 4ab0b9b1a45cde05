import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { TestProcess } from '@rollcall/testkit';
import { tryApp } from '../app/trial.ts';

/** What people look for first, beside bin/ and not in lib/. */
const SHOWN = ['LICENSE', 'THIRD-PARTY.txt', 'sbom.cdx.json'];

interface Archive {
  /** The project whose app is packed; it is installed and built. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970: the time of all files. */
  readonly time: string;
}

/**
 * Makes `rollcall-VERSION-node24.tar.gz` and `rollcall-VERSION.cdx.json` in the folder `target`: all that a machine with
 * Node.js needs, and the list of it. The same source gives the same bytes. Needs GNU tar. Returns the tarball's path.
 */
export function makeArchive({ root, version, time }: Archive, target: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-archive-'));
  try {
    const name = `rollcall-${version}`;
    const home = join(folder, name);
    cpSync(join(root, 'packaging/tarball'), home, { recursive: true });
    const readme = join(home, 'README.md');
    writeFileSync(readme, readFileSync(readme, 'utf8').replace('VERSION', version));
    cpSync(join(root, 'packaging/systemd'), join(home, 'systemd'), { recursive: true });
    execFileSync('node', ['scripts/app/main.ts', join(home, 'lib')], {
      cwd: root,
      env: { ...process.env, SOURCE_DATE_EPOCH: time },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    for (const file of SHOWN) renameSync(join(home, 'lib', file), join(home, file));
    cpSync(join(home, 'sbom.cdx.json'), join(target, `${name}.cdx.json`));
    const file = join(target, `${name}-node24.tar.gz`);
    pack(name, { folder, file, time });
    return file;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing of this machine gets in: no order of a file system, no owner, no umask, no time, no link. */
function pack(
  name: string,
  { folder, file, time }: { folder: string; file: string; time: string },
): void {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  // pnpm links files that are alike, where the file system can.
  const options = [
    '--format=ustar',
    '--hard-dereference',
    '--sort=name',
    `--mtime=@${time}`,
    ...owner,
  ];
  execFileSync('tar', [...options, '--use-compress-program=gzip -n -9', '-cf', file, name], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Unpacks the tarball as a user does and starts it through a link, from another folder. Throws if something fails. */
export async function tryArchive(file: string, version: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-unpacked-'));
  try {
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    const link = join(folder, 'rollcall');
    symlinkSync(`rollcall-${version}/bin/rollcall`, link);
    const env = { ROLLCALL_NODE: process.execPath, NODE_OPTIONS: '' };
    await tryApp({
      version,
      start: (args, extra) =>
        new TestProcess(link, args, { cwd: tmpdir(), env: { ...env, ...extra } }),
    });
  } catch (error) {
    throw new Error(`${basename(file)} does not work`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
