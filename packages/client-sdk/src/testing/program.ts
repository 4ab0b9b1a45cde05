import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from './context.ts';

/** Runs a program that has `Rollcall` and `url`; it ends by itself, or with the test. */
export function runProgram(context: TestContext, url: string, text: string): ChildProcess {
  const index = new URL('../index.ts', import.meta.url).href;
  const script = `import { Rollcall } from ${JSON.stringify(index)};
    const url = ${JSON.stringify(url)};
    ${text}`;
  const child = spawn(
    process.execPath,
    ['--conditions=@rollcall/source', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'inherit', 'pipe'], cwd: new URL('../..', import.meta.url) },
  );
  context.onEnd(() => child.kill('SIGKILL'));
  return child;
}

/** Its exit code, or the signal that ended it. */
export const endOf = (child: ChildProcess) =>
  new Promise<number | string | null>((done) =>
    child.once('exit', (code, signal) => done(code ?? signal)),
  );
