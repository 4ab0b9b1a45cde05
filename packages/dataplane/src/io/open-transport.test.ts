import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '@rollcall/runtime';
import { openTransport } from './open-transport.ts';

afterEach(() => vi.restoreAllMocks());

const bindings = process as unknown as { binding: (name: string) => unknown };

test('bare handles are taken where they carry bytes, the public API where one asks for it', async () => {
  expect((await openTransport({}, systemClock)).name).toBe('handle');
  expect((await openTransport({ io: 'net' }, systemClock)).name).toBe('net');
});

test.each<[string, (name: string) => unknown]>([
  [
    'refuses them',
    () => {
      throw new Error('No such module');
    },
  ],
  ['has them in another form', () => ({})],
])('a Node.js that %s is served by the public API', async (_, binding) => {
  vi.spyOn(bindings, 'binding').mockImplementation(binding);
  expect((await openTransport({}, systemClock)).name).toBe('net');
});

test('handles that are there and carry nothing are not taken', async () => {
  const real = bindings.binding.bind(process);
  vi.spyOn(bindings, 'binding').mockImplementation((name) => {
    const found = real(name) as { WriteWrap?: unknown };
    if (name !== 'stream_wrap') return found;
    // Reads never say how much they read.
    return { ...found, streamBaseState: new Int32Array(8) };
  });
  expect((await openTransport({}, systemClock)).name).toBe('net');
});
