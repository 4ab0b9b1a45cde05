import { hostname } from 'node:os';
import { systemClock, systemRandom } from '@rollcall/runtime';
import type { Runtime } from './runtime.ts';
import { endBySignal } from './process-end.ts';

/** The real clock, timers, randomness and signals of this process. */
export const SYSTEM_RUNTIME: Runtime = Object.freeze({
  monotonicMs: systemClock.monotonicMs,
  after: systemClock.after,
  random: systemRandom.share,
  randomId: () => systemRandom.hex(16),
  hostName: () => hostname(),
  processId: () => process.pid,
  signals: {
    on: (signal, listener) => void process.on(signal, listener),
    off: (signal, listener) => void process.off(signal, listener),
    listenerCount: (signal) => process.listenerCount(signal),
    raise: (signal) => endBySignal(process, signal),
  },
  warn(message, cause) {
    const detail = cause instanceof Error ? cause.stack : undefined;
    process.emitWarning(message, {
      type: 'RollcallWarning',
      ...(detail === undefined ? {} : { detail }),
    });
  },
} satisfies Runtime);
