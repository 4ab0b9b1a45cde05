import { expect, test, vi } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { keepSmall, type Restartable, restartSmall } from './small-process.ts';

function processWith(over: Partial<Restartable> = {}) {
  const execve = vi.fn<NonNullable<Restartable['execve']>>();
  const self = {
    argv: ['/bin/node', '/bin/rollcall', 'run', '--', 'x'],
    env: { PATH: '/bin' },
    execArgv: ['--conditions=a'],
    execPath: '/bin/node',
    execve: execve as unknown as Restartable['execve'],
    versions: { ...process.versions, node: '24.1.0' },
    ...over,
  };
  return { self, execve };
}

test('the same command line, with more flags', () => {
  const { self, execve } = processWith();
  restartSmall(self);
  const [file, argv = [], env] = execve.mock.calls[0] ?? [];
  expect(file).toBe('/bin/node');
  expect(argv.slice(0, 2)).toEqual(['/bin/node', '--conditions=a']);
  expect(argv).toContain('--no-opt');
  expect(argv.slice(-4)).toEqual(['/bin/rollcall', 'run', '--', 'x']);
  expect(env).toEqual({ PATH: '/bin' });
});

test.each<[why: string, over: Partial<Restartable>]>([
  ['done already', { execArgv: ['--no-opt'] }],
  ['unknown version', { versions: { ...process.versions, node: '99.0.0' } }],
  ['a channel to the parent', { connected: true }],
])('not again: %s', (_, over) => {
  const { self, execve } = processWith(over);
  restartSmall(self);
  expect(execve).not.toHaveBeenCalled();
});

test('it goes on where that is not possible', () => {
  const { self } = processWith();
  expect(() => restartSmall({ ...self, execve: undefined })).not.toThrow();
  const fails = () => {
    throw new Error('not on this system');
  };
  expect(() => restartSmall({ ...self, execve: fails })).not.toThrow();
});

test('garbage is collected at once and every 20 s, until that is ended', () => {
  const clock = new ManualClock();
  const collect = vi.fn<() => void>();
  const collecting = keepSmall(clock, collect);
  expect(collect).toHaveBeenCalledTimes(1);
  clock.advance(20_000);
  expect(collect).toHaveBeenCalledTimes(2);
  collecting?.cancel();
  clock.advance(20_000);
  expect(collect).toHaveBeenCalledTimes(2);
});
