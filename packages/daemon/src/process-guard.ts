/** The part of a process that the guard needs. */
export interface GuardedProcess {
  on(event: 'SIGHUP', listener: () => void): unknown;
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  readonly stdout: { on(event: 'error', listener: () => void): unknown };
  readonly stderr: { on(event: 'error', listener: () => void): unknown };
}

/** Logs what would have ended the program. Neither method may throw. */
export interface ProcessLog {
  /** An uncaught fault in the background, or an unhandled rejection. */
  onFault(error: unknown): void;
  onHangup(): void;
}

/**
 * From now on neither a background fault nor a closed terminal ends the process. Faults during the start are left to the
 * caller.
 */
export function guardProcess(log: ProcessLog, guarded: GuardedProcess = process): void {
  const { stdout, stderr } = guarded;
  // If nothing reads the output any more, there is nowhere to report that.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  // Unhandled rejections arrive here too.
  guarded.on('uncaughtException', (error) => log.onFault(error));
  guarded.on('SIGHUP', () => log.onHangup());
}

/** The stack of a thrown value, or the best text there is. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
