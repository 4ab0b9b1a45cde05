import type { Runtime } from './runtime.ts';

/**
 * Does something that nobody waits for: a timer, an event. A throw is a fault of this client, which must neither end the
 * process nor be lost: the process is warned, and `onFault` sees to it that it is tried again.
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

/** A fault of the client itself, with its stack. */
export function warnOfFault({ warn }: Pick<Runtime, 'warn'>, what: string, error: unknown): void {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  warn(`a fault of the Rollcall client while ${what}; it goes on: ${why}`, error);
}
