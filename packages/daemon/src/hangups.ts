/**
 * A terminal that closes, and operators who expect a reload, send SIGHUP, which ends a process that does not listen.
 * It leaves a line in the log and changes nothing.
 */
export function logHangups(log: (line: string) => void): void {
  process.on('SIGHUP', () => log('SIGHUP: nothing is reloaded; SIGTERM ends this program'));
}
