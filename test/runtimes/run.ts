import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { TestProcess } from '@rollcall/testkit';
import type { JavaScriptRuntime } from './runtimes.ts';

const EXERCISE = fileURLToPath(new URL('exercise.ts', import.meta.url));
/** How long a program may take, in ms. */
const LONGEST_MS = 300_000;

interface Run {
  readonly output: string;
  readonly exitCode: number | null;
}

/** Runs a program in a folder as a user does: without the conditions of this workspace, and with its caches there. */
export async function runIn(
  folder: string,
  { program, args }: Pick<JavaScriptRuntime, 'program' | 'args'>,
  env: NodeJS.ProcessEnv = {},
): Promise<Run> {
  const clean = { NODE_OPTIONS: '', DENO_NO_UPDATE_CHECK: '1' };
  const caches = {
    DENO_DIR: join(folder, '.deno'),
    BUN_INSTALL: join(folder, '.bun'),
    // jest keeps its cache there.
    TMPDIR: folder,
  };
  const process = new TestProcess(program, args, {
    cwd: folder,
    env: { ...clean, ...caches, ...env },
  });
  const [exitCode] = (await once(process.child, 'close', {
    signal: AbortSignal.timeout(LONGEST_MS),
  })) as [number | null];
  return { output: stripVTControlCharacters(process.output), exitCode };
}

/** Runs the exercise of the SDK in a project that has its packages. Resolves with what is wrong; undefined = nothing. */
export async function exerciseFault(
  project: string,
  runtime: JavaScriptRuntime,
  registryUrl: string,
): Promise<string | undefined> {
  await copyFile(EXERCISE, join(project, 'exercise.ts'));
  const args = [...runtime.args, 'exercise.ts'];
  const { output, exitCode } = await runIn(
    project,
    { ...runtime, args },
    { ROLLCALL_URL: registryUrl },
  );
  if (runtime.isRefused === true) {
    const isSaid = exitCode === 1 && output.includes(`or later, and this is ${runtime.name}\n`);
    return isSaid ? undefined : `it is not refused in one sentence:\n${output}`;
  }
  // And nothing else: a warning would be one of the SDK.
  const isFine = exitCode === 0 && /^(ok .*\n)+all \d+ parts\n$/.test(output);
  return isFine ? undefined : `exit code ${exitCode}:\n${output}`;
}
