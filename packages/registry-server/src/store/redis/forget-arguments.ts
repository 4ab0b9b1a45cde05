/**
 * Takes from an error of ioredis the command that failed: its arguments hold leases, nonces or the password, and whoever
 * logs an error logs what hangs on it.
 */
export function forgetArguments(error: Error): void {
  const { command } = error as { command?: { name?: unknown } };
  if (command === undefined) return;
  Reflect.set(error, 'command', command.name);
}
