import { constants } from 'node:os';

/** What is needed of a process to end it. */
export interface EndableProcess {
  readonly pid: number;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  exit(code: number): unknown;
}

/**
 * Ends the process as a signal would that it does not listen to. The kernel drops such a signal of the first process
 * of a container, which would live on.
 */
export function endBySignal(ended: EndableProcess, signal: NodeJS.Signals): void {
  if (ended.pid === 1) ended.exit(128 + constants.signals[signal]);
  else ended.kill(ended.pid, signal);
}
