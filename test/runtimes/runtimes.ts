import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** A JavaScript host: this one, or one that an npm package contains. */
export interface JavaScriptRuntime {
  readonly name: string;
  /** Where it is, or would be. */
  readonly program: string;
  /** Before the file that it runs. */
  readonly args: readonly string[];
  /** `name@version` of the package; undefined = it is here anyway. */
  readonly source?: string;
  /** The SDK says that it does not run on it. */
  readonly isRefused?: boolean;
}

const folderOf = (source: string) => join(root, '.toolchain/runtimes', source);

function fromNpm(name: string, source: string, command: string): JavaScriptRuntime {
  const program = join(folderOf(source), 'node_modules/.bin', command);
  return { name, program, args: [], source };
}

const node = (version: string) =>
  fromNpm(`Node.js ${version}`, `node-${process.platform}-${process.arch}@${version}`, 'node');

const sdk = readFileSync(join(root, 'packages/client-sdk/package.json'), 'utf8');
const { engines } = JSON.parse(sdk) as { engines: { node: string } };

/** What the SDK promises to run on: the lowest Node.js, this one, a newer one, Deno; and one that it refuses. */
export const RUNTIMES: readonly JavaScriptRuntime[] = [
  node(engines.node.replace('>=', '')),
  { name: `Node.js ${process.versions.node}`, program: process.execPath, args: [] },
  node('26.10.0'),
  { ...fromNpm('Deno 2.9.6', 'deno@2.9.6', 'deno'), args: ['run', '--allow-all'] },
  { ...fromNpm('Bun 1.4.4', 'bun@1.4.4', 'bun'), args: ['--no-install'], isRefused: true },
];

export const isThere = ({ program }: JavaScriptRuntime): boolean => existsSync(program);

/** Installs its package, unless it is there. */
export async function fetchRuntime({ source, ...runtime }: JavaScriptRuntime): Promise<void> {
  if (source === undefined || isThere(runtime)) return;
  const folder = folderOf(source);
  mkdirSync(folder, { recursive: true });
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', '--prefix', folder, ...quiet, source]);
}
