import { expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';

interface Events {
  change: (value: number) => void;
}

test('a listener that throws, or rejects, starves nobody and is told of', async () => {
  const warn = vi.fn<(message: string, cause?: unknown) => void>();
  const emitter = new Emitter<Events>({ warn });
  const heard: number[] = [];
  const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
  emitter.on('change', () => {
    throw thrown;
  });
  const rejecting: (value: number) => unknown = () => Promise.reject(rejected);
  emitter.on('change', rejecting);
  emitter.on('change', (value) => heard.push(value));
  emitter.emit('change', 1);
  emitter.emit('change', 2);
  expect(heard).toEqual([1, 2]);
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(4), { timeout: 30_000 });
  expect(new Set(warn.mock.calls.map(([, cause]) => cause))).toEqual(new Set([thrown, rejected]));
  expect(warn.mock.calls[0]?.[0]).toBe("a listener of 'change' failed: Error: thrown");
});
