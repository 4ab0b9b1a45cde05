/** What a program of this kind does about signals and faults that would end it. */
export interface GuardedProcess {
  on(event: 'SIGHUP', listener: () => void): unknown;
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  readonly stdout: { on(event: 'error', listener: () => void): unknown };
  readonly stderr: {
    on(event: 'error', listener: () => void): unknown;
    write(text: string): unknown;
  };
}

/**
 * From now on neither a fault in the background nor a terminal that closes ends the process: the one is logged with its
 * stack, the other with a line. Faults of starting are for the caller.
 */
export function guardProcess(guarded: GuardedProcess = process): void {
  const { stdout, stderr } = guarded;
  // Where nobody reads any more there is nobody to tell.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  // Rejections that nobody handles come here too.
  guarded.on('uncaughtException', (error) => {
    stderr.write(`rollcall-node-proxy: unexpected fault, going on: ${stackOf(error)}\n`);
  });
  guarded.on('SIGHUP', () => {
    stderr.write('rollcall-node-proxy: SIGHUP: ignored; options are read at start only\n');
  });
}

/** As much as there is to say of something thrown. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
