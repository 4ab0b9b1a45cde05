import { equal, match } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The name under which a package of the workspace is installed. */
export const nameOf = (folderName: string) =>
  folderName === 'rollcall' ? 'rollcall' : `@rollcall/${folderName}`;

/** Puts a library where an install would, unless it is there. */
export async function link(from: string, to: string): Promise<void> {
  // A peer of several packages is linked once.
  if (existsSync(to)) return;
  await mkdir(dirname(to), { recursive: true });
  await symlink(await realpath(from), to);
}

/** Packs a package of the workspace into a folder. Returns its tarball. */
export async function pack(name: string, folder: string): Promise<string> {
  const packed = join(folder, name);
  await mkdir(packed);
  const cwd = join(root, 'packages', name);
  await run('pnpm', ['pack', '--pack-destination', packed], { cwd });
  const [tarball = ''] = await readdir(packed);
  return join(packed, tarball);
}

/** Unpacks a tarball where an install into the project would put it, and links the libraries that it depends on. */
export async function unpack(name: string, tarball: string, project: string): Promise<Manifest> {
  const target = join(project, 'node_modules', nameOf(name));
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as Manifest;
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
    match(range, /^[\^~\d]/, `${name} -> ${dependency}`);
    if (dependency.startsWith('@rollcall/')) {
      equal(range, `^${manifest.version}`, `${name} -> ${dependency}`);
      continue;
    }
    const from = join(root, 'packages', name, 'node_modules', dependency);
    await link(from, join(target, 'node_modules', dependency));
  }
  return manifest;
}

/** Packs a package and unpacks it into the project, with the peers that its entries may need. */
export async function install(name: string, folder: string, project: string): Promise<void> {
  const { peerDependencies = {} } = await unpack(name, await pack(name, folder), project);
  for (const peer of Object.keys(peerDependencies)) {
    const from = join(root, 'packages', name, 'node_modules', peer);
    await link(from, join(project, 'node_modules', peer));
  }
}
