import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Runtime } from '../runtime.ts';
import { endBySignal } from './process-end.ts';

/** The real clock, timers, randomness and signals of this process. */
export const SYSTEM_RUNTIME: Runtime = Object.freeze({
  nowMs: () => performance.now(),
  random: () => Math.random(),
  randomId: () => randomBytes(16).toString('hex'),
  hostName: () => hostname(),
  processId: () => process.pid,
  setTimer(callback, delayMs, isBackground = false) {
    const timer = setTimeout(callback, delayMs);
    if (isBackground) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
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
