/** Exit codes of a command; docs/cli.md has the table. */
export const EXIT = Object.freeze({
  ok: 0,
  /** The registry refused, or the command failed. For `diff`: there are differences. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
});

/** An error for the user, shown without a stack: the message is printed unchanged. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command line is wrong. */
export function usageError(message: string): CliError {
  return new CliError(`error: ${message}`, EXIT.usage);
}
