import { describe, expect, test } from 'vitest';
import { passedSockets, socketsByListener } from './activation.ts';

describe('sockets that the service manager passed', () => {
  test('are numbered from 3, with their names', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:tls', PATH: '/bin' };
    expect(passedSockets(env, 7)).toEqual([
      { fd: 3, name: 'web' },
      { fd: 4, name: 'tls' },
    ]);
    // Children have other descriptors there.
    expect(env).toEqual({ PATH: '/bin' });
  });

  test.each([
    {},
    { LISTEN_PID: '8', LISTEN_FDS: '1' },
    { LISTEN_PID: '7', LISTEN_FDS: 'x' },
    { LISTEN_PID: '7' },
  ])('%j: none', (env) => {
    expect(passedSockets({ ...env }, 7)).toEqual([]);
  });

  test('go to the listener of their name, else in order', () => {
    const given = (...names: string[]) => names.map((name, i) => ({ fd: 3 + i, name }));
    expect([...socketsByListener(['a', 'b'], given('b', ''))]).toEqual([
      ['a', 4],
      ['b', 3],
    ]);
    expect([...socketsByListener(['a'], given('lb.socket'))]).toEqual([['a', 3]]);
    expect([...socketsByListener(['a', 'b'], given('b'))]).toEqual([['b', 3]]);
    expect([...socketsByListener(['a'], [])]).toEqual([]);
  });
});
