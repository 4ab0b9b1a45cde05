import type { Runtime } from './runtime.ts';

/**
 * Runs work that has no caller to report to: a timer, an event. A throw is a bug of this client. It must not end the
 * process, but must stay visible: the client emits a process warning, and `onFault` schedules another attempt.
 */
export function guarded(
  { warn }: Pick<Runtime, 'warn'>,
  what: string,
  act: () => void,
  onFault?: () => void,
): void {
  try {
    act();
  } catch (error) {
    warnOfFault({ warn }, what, error);
    onFault?.();
  }
}

/** Warns about a bug of the client itself, with its stack. */
export function warnOfFault({ warn }: Pick<Runtime, 'warn'>, what: string, error: unknown): void {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  warn(`a fault of the Rollcall client while ${what}; it goes on: ${why}`, error);
}
