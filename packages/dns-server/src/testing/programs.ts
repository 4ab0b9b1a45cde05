import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestProcess } from '@rollcall/testkit';
import { type TestContext, onTestFinished } from 'vitest';

const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
const run = promisify(execFile);

/** Returns the path of the program; if it is not installed, skips the test with the reason. */
export function need(context: TestContext, program: string, debianPackage: string): string {
  const found = FOLDERS.map((folder) => join(folder, program)).find(isExecutable);
  return found ?? context.skip(`${program} is not installed (apt-get install ${debianPackage})`);
}

/** Skips the test unless this user may create network and mount namespaces. */
export async function needNamespaces(context: TestContext): Promise<string> {
  const unshare = need(context, 'unshare', 'util-linux');
  const can = await run(unshare, ['-mn', 'ip', 'link', 'set', 'lo', 'up']).then(
    () => true,
    () => false,
  );
  return can ? unshare : context.skip('this user may not make namespaces of its own');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The output of a program; rejects unless it exits with 0. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, [...args]);
  return stdout;
}

/** Starts a program that ends with the test. */
export function start(program: string, ...args: string[]): TestProcess {
  const child = new TestProcess(program, args);
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  return child;
}

/** A temporary folder that is removed after the test. */
export async function testFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rollcall-dns-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

export const EXAMPLES = new URL('../../../../examples/dns/', import.meta.url).pathname;

/** Writes an example configuration with its addresses replaced by those of this test; returns the path. */
export async function writeExample(
  name: string,
  into: string,
  addresses: Readonly<Record<string, string>>,
): Promise<string> {
  let text = await readFile(join(EXAMPLES, name), 'utf8');
  for (const [theirs, ours] of Object.entries(addresses)) {
    if (!text.includes(theirs)) throw new Error(`${name} does not contain ${theirs}`);
    text = text.replaceAll(theirs, ours);
  }
  const path = join(into, name);
  await writeFile(path, text);
  return path;
}
