import { constants } from 'node:os';

/** The part of a process object that is needed to end the process. */
export interface EndableProcess {
  readonly pid: number;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  exit(code: number): unknown;
}

/**
 * Ends the process as an unhandled signal would. The kernel ignores such a signal for PID 1 (the first process of a
 * container), so that process exits by itself instead.
 */
export function endBySignal(ended: EndableProcess, signal: NodeJS.Signals): void {
  if (ended.pid === 1) ended.exit(128 + constants.signals[signal]);
  else ended.kill(ended.pid, signal);
}
