import { join } from 'node:path';
import { systemClock } from '@rollcall/runtime';
import { TestProcess, until } from '@rollcall/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import { ConfigError } from './options/read-options.ts';
import { type Program, runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';

const printed: string[] = [];
const codes: unknown[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  printed.length = 0;
  codes.length = 0;
});

/** What a program prints and ends with; its start is not reached, or fails. */
async function run(argv: string[], more: Partial<Program<{ logLevel: string }>> = {}) {
  const write = (text: string | Uint8Array) => {
    printed.push(String(text));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process, 'on').mockImplementation(() => process);
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    codes.push(code);
    return undefined as never;
  });
  await runProgram(
    {
      name: 'rollcall-test',
      main: import.meta.url,
      help: () => 'the help\n',
      configure: () => ({ logLevel: 'silent' }),
      clock: systemClock,
      start: () => Promise.reject(new StartError('the port is taken')),
      ...more,
    },
    argv,
  );
  return { text: printed.join(''), codes: [...codes] };
}

test('a Node.js that is too old is told, and nothing is begun', async () => {
  vi.spyOn(process, 'versions', 'get').mockReturnValue({ ...process.versions, node: '22.19.0' });
  const { text, codes: ends } = await run(['--help']);
  expect(text).toContain('rollcall-test: Node.js 24 or later is needed, this is 22.19.0\n');
  expect(ends[0]).toBe(1);
});

test.each(['--help', '-h'])('%s prints the help and nothing is begun', async (flag) => {
  expect(await run(['--port', '1', flag])).toEqual({ text: 'the help\n', codes: [] });
});

test('--version prints that of the package', async () => {
  const { text, codes: ends } = await run(['--version']);
  expect(text).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(ends).toEqual([]);
});

test('what was asked wrongly ends with 2, what cannot be had with 1, a fault with its stack', async () => {
  const wrong = () => {
    throw new ConfigError('--port: expected a port');
  };
  expect(await run([], { configure: wrong })).toEqual({
    text: 'rollcall-test: --port: expected a port\n',
    codes: [2],
  });
  printed.length = codes.length = 0;
  expect(await run([])).toEqual({ text: 'rollcall-test: the port is taken\n', codes: [1] });
  printed.length = codes.length = 0;
  const { text, codes: ends } = await run([], {
    start: () => Promise.reject(new TypeError('ours')),
  });
  expect(text).toMatch(/^rollcall-test: TypeError: ours\n +at .*run-program\.test\.ts/);
  expect(ends).toEqual([1]);
});

test('nothing is run when there is nothing to run', async () => {
  expect(await run(['--check'], { configure: () => undefined })).toEqual({ text: '', codes: [] });
});

const STUBBORN = `
import { runProgram } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
await runProgram({
  name: 'stubborn',
  main: 'file://${import.meta.dirname}/x.ts',
  help: () => '',
  configure: () => ({ logLevel: 'info' }),
  clock: systemClock,
  start: async () => ({ started: {}, close: () => new Promise(() => {}) }),
});
setInterval(() => {}, 1_000);
`;

const RELOADING = `
import { runProgram } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
let times = 0;
const reload = async () => {
  console.log('reloaded', ++times);
  if (times === 1) throw new TypeError('ours');
};
await runProgram({
  name: 'reloading',
  main: 'file://${import.meta.dirname}/x.ts',
  help: () => '',
  configure: () => ({ logLevel: 'info' }),
  clock: systemClock,
  start: async () => {
    process.kill(process.pid, 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log('started');
    return { started: {}, close: async () => {}, reload };
  },
});
setInterval(() => {}, 1_000);
`;

test('SIGHUP reads again what can be read again, also what came while it started; a fault does not end it', async () => {
  const flags = ['--conditions=@rollcall/source', '--input-type=module', '-e'];
  const program = new TestProcess(process.execPath, [...flags, RELOADING], {
    cwd: join(import.meta.dirname, '../../..'),
  });
  await program.printed(/started\n[^]*reloaded 1\n[^]*a fault in the loop reload/);
  program.signal('SIGHUP');
  await program.printed(/reloaded 2\n/);
  expect(program.output).not.toContain('SIGHUP: ignored');
  expect(await program.stop('SIGTERM')).toBe(0);
});

test('who asks a second time does not have to wait', async () => {
  const flags = ['--conditions=@rollcall/source', '--input-type=module', '-e', STUBBORN];
  const program = new TestProcess(process.execPath, flags, {
    cwd: join(import.meta.dirname, '../../..'),
  });
  await program.printed(/"listening"/);
  program.signal('SIGTERM');
  // At once again, as a parent process forwards it.
  program.signal('SIGTERM');
  await program.printed(/"stopping/);
  const askedMs = performance.now();
  await until(() => performance.now() - askedMs > 2_500);
  expect(program.hasExited).toBe(false);
  program.signal('SIGINT');
  await until(() => program.hasExited);
  expect(program.child.exitCode).toBe(1);
  expect(program.output).toContain('asked again: ended at once');
});
