import { expect, test, vi } from 'vitest';
import { endBySignal } from './process-end.ts';

test.each([
  [1, [], [[143]]],
  [17, [[17, 'SIGTERM']], []],
])('process %i', (pid, kills, exits) => {
  const kill = vi.fn<(pid: number, signal: NodeJS.Signals) => void>();
  const exit = vi.fn<(code: number) => void>();
  endBySignal({ pid, kill, exit }, 'SIGTERM');
  expect([kill.mock.calls, exit.mock.calls]).toEqual([kills, exits]);
});
