import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import type { SignalSource } from '../base/runtime.ts';
import { DepartureSignals } from './departure-signals.ts';

interface FakeSource extends SignalSource {
  send(signal: NodeJS.Signals): void;
  readonly raised: NodeJS.Signals[];
}

function fakeSource(): FakeSource {
  const emitter = new EventEmitter();
  const raised: NodeJS.Signals[] = [];
  return {
    raised,
    on: (signal, listener) => void emitter.on(signal, listener),
    off: (signal, listener) => void emitter.off(signal, listener),
    listenerCount: (signal) => emitter.listenerCount(signal),
    raise: (signal) => void raised.push(signal),
    send: (signal) => void emitter.emit(signal),
  };
}

test('drains everyone once, then raises the signal again', async () => {
  const source = fakeSource();
  const signals = new DepartureSignals(source);
  const drain = vi.fn<() => Promise<void>>(() => Promise.resolve());
  signals.add(['SIGTERM', 'SIGINT'], { drain });
  signals.add(['SIGTERM'], { drain });
  source.send('SIGTERM');
  source.send('SIGTERM');
  await vi.waitFor(() => expect(source.raised).toEqual(['SIGTERM']), { timeout: 30_000 });
  expect(drain).toHaveBeenCalledTimes(2);
  expect(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT')).toBe(0);
});

test('a failed drain does not keep the process from ending', async () => {
  const source = fakeSource();
  const signals = new DepartureSignals(source);
  signals.add(['SIGTERM'], { drain: () => Promise.reject(new Error('no registry')) });
  source.send('SIGTERM');
  await vi.waitFor(() => expect(source.raised).toEqual(['SIGTERM']), { timeout: 30_000 });
});

test.each(['before', 'after'])(
  'an application that listens too, since %s, ends itself',
  async (when) => {
    const source = fakeSource();
    const signals = new DepartureSignals(source);
    const listen = () => source.on('SIGTERM', () => {});
    const done = Promise.withResolvers<void>();
    if (when === 'before') listen();
    signals.add(['SIGTERM'], { drain: () => done.promise });
    if (when === 'after') listen();
    source.send('SIGTERM');
    done.resolve();
    await vi.waitFor(() => expect(source.listenerCount('SIGTERM')).toBe(1), { timeout: 30_000 });
    expect(source.raised).toEqual([]);
  },
);

test('the last one that leaves by itself takes the listeners along', () => {
  const source = fakeSource();
  const signals = new DepartureSignals(source);
  const [a, b] = [0, 1].map(() => ({ drain: () => Promise.resolve() }));
  signals.add(['SIGTERM'], a!);
  signals.add(['SIGTERM'], b!);
  signals.remove(a!);
  expect(source.listenerCount('SIGTERM')).toBe(1);
  signals.remove(b!);
  signals.close();
  expect(source.listenerCount('SIGTERM')).toBe(0);
});

test('two clients of a process: both drain, and the signal is raised once', async () => {
  const source = fakeSource();
  const drains = [0, 1].map(() => vi.fn<() => Promise<void>>(() => Promise.resolve()));
  for (const drain of drains) new DepartureSignals(source).add(['SIGTERM'], { drain });
  expect(source.listenerCount('SIGTERM')).toBe(1);
  source.send('SIGTERM');
  await vi.waitFor(() => expect(source.raised).toEqual(['SIGTERM']), { timeout: 30_000 });
  for (const drain of drains) expect(drain).toHaveBeenCalledTimes(1);
  expect(source.listenerCount('SIGTERM')).toBe(0);
});

test('a client that is closed takes along what is its own only', async () => {
  const source = fakeSource();
  const [one, other] = [new DepartureSignals(source), new DepartureSignals(source)];
  const drain = vi.fn<() => Promise<void>>(() => Promise.resolve());
  one.add(['SIGTERM'], { drain: () => Promise.reject(new Error('closed')) });
  other.add(['SIGTERM'], { drain });
  one.close();
  source.send('SIGTERM');
  await vi.waitFor(() => expect(source.raised).toEqual(['SIGTERM']), { timeout: 30_000 });
  expect(drain).toHaveBeenCalledTimes(1);
});

test.each([false, true])(
  'a second signal ends at once; the application listens too: %s',
  async (isShared) => {
    const source = fakeSource();
    const done = Promise.withResolvers<void>();
    new DepartureSignals(source).add(['SIGTERM', 'SIGINT'], { drain: () => done.promise });
    if (isShared) source.on('SIGINT', () => {});
    source.send('SIGTERM');
    expect(source.raised).toEqual([]);
    source.send('SIGINT');
    expect(source.raised).toEqual(isShared ? [] : ['SIGINT']);
    done.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.raised).toEqual(isShared ? [] : ['SIGINT']);
  },
);
