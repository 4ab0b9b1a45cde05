import type { Duplex } from 'node:stream';

/** The connections of an agent, by host and port. */
export type SocketTable = Readonly<Record<string, readonly Duplex[] | undefined>>;

export function countOf(table: SocketTable): number {
  let count = 0;
  for (const name in table) count += table[name]?.length ?? 0;
  return count;
}

/** Whether one of them is not destroyed. */
export function hasOpen(table: SocketTable): boolean {
  for (const name in table) for (const socket of table[name]!) if (!socket.destroyed) return true;
  return false;
}

/** A copy: destroying one changes the table. */
export const socketsOf = (table: SocketTable): Duplex[] =>
  Object.values(table).flatMap((sockets = []) => [...sockets]);
