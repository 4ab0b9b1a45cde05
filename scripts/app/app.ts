import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packagesIn } from './installed.ts';
import { noticesOf } from './notices.ts';
import { makeSbom, purlsOf } from './sbom.ts';
import { removeUnneeded } from './unneeded.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The notes that pnpm keeps for its next install; they name folders of this machine. */
const NOTES = ['.bin', '.modules.yaml', '.pnpm', '.pnpm-workspace-state-v1.json'];

/**
 * Makes the folder: the package `rollcall`, its libraries, LICENSE, THIRD-PARTY.txt and sbom.cdx.json. Throws if the two
 * lists of libraries differ: a library that is inside and not listed, or the other way round.
 */
export function makeApp(folder: string): void {
  // Hoisted: a tree without links, the same on every machine, and it can be copied by any tool.
  const options = ['--prod', '--no-optional', '--legacy', '--config.node-linker=hoisted'];
  execFileSync('pnpm', ['--filter', 'rollcall', 'deploy', ...options, folder], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  for (const name of NOTES)
    rmSync(join(folder, 'node_modules', name), { recursive: true, force: true });
  const packages = packagesIn(folder);
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8');
  const notices = noticesOf(packages, licence);
  removeUnneeded(folder);
  const sbom = makeSbom(root);
  const inside = new Set(packages.map(({ purl }) => purl));
  const listed = purlsOf(sbom);
  const differing = [
    ...[...inside].filter((purl) => !listed.has(purl)),
    ...[...listed].filter((purl) => !inside.has(purl)),
  ];
  if (differing.length > 0) {
    throw new Error(`the SBOM and ${folder} differ in: ${differing.join(', ')}`);
  }
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), notices);
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 1)}\n`);
}
