/**
 * Removes the arguments of the failed command from an ioredis error. They contain leases, nonces or the password, and a
 * logger prints the properties of an error.
 */
export function forgetArguments(error: Error): void {
  const { command } = error as { command?: { name?: unknown } };
  if (command === undefined) return;
  Reflect.set(error, 'command', command.name);
}
