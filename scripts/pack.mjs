// The `prepack` and `postpack` of every package that is published.
//
//     node ../../scripts/pack.mjs before   (in the folder of the package)
//
// Before: builds it. pnpm then replaces `workspace:` and `catalog:` in the manifest by versions; npm does not know them, so
// under npm this replaces them in package.json, and `after` puts the file back.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [moment] = process.argv.slice(2);
const isNpm = (process.env.npm_config_user_agent ?? '').startsWith('npm/');
const manifest = 'package.json';
// What `before` replaced and by what, in a folder that no tarball contains.
const noteFile = join('node_modules', '.package.json.packed');

if (moment === 'before') {
  build();
  if (isNpm) await replaceProtocols();
} else if (moment === 'after') {
  if (isNpm) restore();
} else {
  console.error('usage: node scripts/pack.mjs before|after');
  process.exitCode = 2;
}

/** Undoes what `before` did, now or in a run that failed. A manifest that somebody changed since then is kept. */
function restore() {
  if (!existsSync(noteFile)) return;
  const { original, written } = JSON.parse(readFileSync(noteFile, 'utf8'));
  if (readFileSync(manifest, 'utf8') === written) writeFileSync(manifest, original);
  rmSync('LICENSE', { force: true });
  rmSync(noteFile);
}

function build() {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status, error } = spawnSync(tsc, ['-b', process.cwd()], { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(
    `tsc failed${error === undefined ? '' : `: ${error.message}`}; run "npm run check" first: it installs what is missing`,
  );
  process.exit(1);
}

async function replaceProtocols() {
  // An earlier run may have been interrupted.
  restore();
  const { parse } = await import('yaml');
  const { catalog } = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'));
  const text = readFileSync(manifest, 'utf8');
  const own = JSON.parse(text);
  for (const field of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [name, range] of Object.entries(own[field] ?? {})) {
      if (range === 'catalog:') own[field][name] = catalog[name];
      // All packages have one version.
      else if (range.startsWith('workspace:')) {
        own[field][name] = range.slice('workspace:'.length).replace('*', '') + own.version;
      }
    }
  }
  delete own.devDependencies;
  // What is for tests of this workspace is not packed.
  own.exports = own.publishConfig?.exports ?? own.exports;
  delete own.publishConfig?.exports;
  const written = `${JSON.stringify(own, null, 2)}\n`;
  writeFileSync(noteFile, JSON.stringify({ original: text, written }));
  // pnpm takes it from the root by itself.
  copyFileSync(join(root, 'LICENSE'), 'LICENSE');
  writeFileSync(manifest, written);
}
