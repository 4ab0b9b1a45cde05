import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { TERMS } from './installed.ts';

/**
 * TypeScript (Node.js refuses to run it below node_modules), source maps and documents. Nothing that a program of ours
 * opens has such a name.
 */
const KINDS = /\.([cm]?ts|map|md|markdown|flow|tsbuildinfo)$/i;

/** A module named `license` is no licence. */
const CODE = /\.([cm]?[jt]s|map)$/;

/** Folders directly in a package that are for its own developers. */
const FOLDERS =
  /^(tests?|__tests__|bench|benchmarks?|docs?|examples?|\.github|\.vscode|\.tap|\.husky)\//;

/** Files directly in a package that configure tools of its own developers. */
const TOOLS = /^\.[^/]+$/;

/** The sources of our packages, with what only their tests need. */
const OWN_SOURCES = /^(node_modules\/@rollcall\/[^/]+\/)?src\//;

/** The part of a path that leads to a package. */
const TO_PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+\/(?!node_modules\/)/;

/** Whether running the app never reads this file. `path` is relative to the app, with slashes. */
export function isUnneeded(path: string): boolean {
  const own = path.replace(TO_PACKAGE, '');
  if (OWN_SOURCES.test(path) || FOLDERS.test(own)) return true;
  if (TERMS.test(basename(own)) && !CODE.test(own)) return false;
  return KINDS.test(own) || TOOLS.test(own);
}

/** Removes what is not needed to run. Throws if a file that stays imports one that was removed. */
export function removeUnneeded(folder: string): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll('\\', '/'));
  const removed = new Set(files.filter(isUnneeded));
  for (const path of removed) rmSync(join(folder, path));
  removeEmpty(folder);
  const kept = files.filter((path) => !removed.has(path));
  const broken = kept.flatMap((path) => brokenImports(folder, path, removed));
  if (broken.length > 0) throw new Error(`still needed:\n${broken.join('\n')}`);
}

const IMPORT = /\b(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
/** What may follow the path of an import, in the order in which Node.js tries it. */
const ENDINGS = ['', '.js', '.json', '.cjs', '.mjs', '/index.js', '/index.json', '/package.json'];

function brokenImports(folder: string, path: string, removed: ReadonlySet<string>): string[] {
  if (!/\.[cm]?js$/.test(path)) return [];
  const text = readFileSync(join(folder, path), 'utf8');
  return [...text.matchAll(IMPORT)].flatMap(([, target = '']) => {
    const wanted = join(dirname(path), target).replaceAll('\\', '/');
    // Comments import types.
    const gone = ENDINGS.map((ending) => wanted + ending).find(
      (file) => removed.has(file) && !/\.[cm]?ts$/.test(file),
    );
    return gone === undefined ? [] : [`${path} imports ${gone}`];
  });
}

function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
