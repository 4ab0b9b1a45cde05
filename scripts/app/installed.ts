import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/** A package in a node_modules folder. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** As its package.json says it. */
  readonly licence: string;
  readonly author: string;
  /** The texts of its licence and notice files. */
  readonly texts: readonly string[];
}

/** Files with the terms of a package, in all spellings that are in use. */
export const TERMS = /^(licen[cs]e|copying|notice)/i;

/** `node_modules/NAME`, at any depth, and nothing below NAME: some packages have manifests in folders of their tests. */
const PACKAGE = /(^|\/)node_modules\/(@[^/]+\/)?[^/@][^/]*$/;

/** All packages below the folder's node_modules, by name and version. */
export function packagesIn(folder: string): Installed[] {
  return globSync('node_modules/**/package.json', { cwd: folder })
    .map((file) => dirname(file).replaceAll('\\', '/'))
    .filter((path) => PACKAGE.test(path) && !/\/tests?\//.test(path))
    .map((path) => packageAt(join(folder, path)))
    .toSorted((a, b) => (a.purl < b.purl ? -1 : 1));
}

function packageAt(path: string): Installed {
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string | { readonly type: string };
    readonly author?: string | { readonly name: string };
  };
  const { name, version, license = '', author = '' } = manifest;
  return {
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licence: typeof license === 'string' ? license : license.type,
    author: typeof author === 'string' ? author : author.name,
    texts: termsBelow(path),
  };
}

/** Also those in its folders: code that was taken over from somebody else often has its own. */
function termsBelow(path: string): string[] {
  const files = globSync('**/*', { cwd: path, exclude: ['**/node_modules', '**/test', '**/tests'] })
    .filter((file) => TERMS.test(basename(file)) && /^(|\.md|\.txt)$/i.test(extname(file)))
    .map((file) => join(path, file))
    .filter((file) => statSync(file).isFile());
  return [...new Set(files.toSorted().map((file) => readFileSync(file, 'utf8').trim()))];
}
