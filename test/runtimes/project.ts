import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { link, pack, unpack } from '../support/packed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The packages of the SDK, in `packages`. */
export const SDK: readonly string[] = ['runtime', 'contract', 'balancing', 'client-sdk'];
/** What a test of a service needs in addition. */
export const TESTING: readonly string[] = ['daemon', 'manifests', 'registry-server', 'testing'];

/** A project with the packages as they are packed, and the libraries of others from here: it needs no network. */
export async function linkedProject(folder: string): Promise<string> {
  const project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "type": "module" }\n');
  for (const name of SDK) await unpack(name, await pack(name, folder), project);
  await link(join(root, 'node_modules/undici'), join(project, 'node_modules/undici'));
  return project;
}

/** A project as a user makes it: npm installs the packages as they are packed, and other libraries by their names. */
export async function installedProject(
  project: string,
  tarballs: ReadonlyMap<string, string>,
  {
    packages,
    libraries,
    manifest = { type: 'module' },
  }: {
    readonly packages: readonly string[];
    readonly libraries: readonly string[];
    readonly manifest?: object;
  },
): Promise<string> {
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest));
  const files = packages.map((name) => tarballs.get(name) ?? '');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet, ...files, ...libraries], { cwd: project });
  return project;
}

/** Packs all of these. */
export async function packAll(
  names: readonly string[],
  folder: string,
): Promise<Map<string, string>> {
  const tarballs = new Map<string, string>();
  for (const name of names) tarballs.set(name, await pack(name, folder));
  return tarballs;
}
