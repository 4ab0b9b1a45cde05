/** What of a process a program of this kind minds. */
export interface GuardedProcess {
  on(event: 'SIGHUP', listener: () => void): unknown;
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  readonly stdout: { on(event: 'error', listener: () => void): unknown };
  readonly stderr: { on(event: 'error', listener: () => void): unknown };
}

/** Where a program tells of what would have ended it. Neither may throw. */
export interface ProcessLog {
  /** A fault in the background that nobody caught, rejections among them. */
  onFault(error: unknown): void;
  /** One line. */
  onHangup(line: string): void;
}

/**
 * From now on neither a fault in the background nor a terminal that closes ends the process: the one is told with its
 * stack, the other with a line. Faults of starting are for the caller.
 */
export function guardProcess(log: ProcessLog, guarded: GuardedProcess = process): void {
  const { stdout, stderr } = guarded;
  // Where nobody reads any more there is nobody to tell.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  // Rejections that nobody handles come here too.
  guarded.on('uncaughtException', (error) => log.onFault(error));
  guarded.on('SIGHUP', () => log.onHangup('SIGHUP: ignored; options are read at start only'));
}

/** As much as there is to say of something thrown. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
