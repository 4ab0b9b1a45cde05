import type { Duplex } from 'node:stream';

/** What wants to know what becomes of a connection while its request uses it. */
export interface ConnectionUser {
  /** The other side ended it, or it broke. */
  onConnectionLost(error?: Error): void;
  /** Another protocol took it over. */
  onConnectionTaken(): void;
}

const USER = Symbol('the user of a connection');

interface Watched extends Duplex {
  [USER]?: ConnectionUser | undefined;
}

/**
 * Tells the user before Node.js and the caller hear of it, and may destroy something themselves. A connection is
 * listened to once, and not again for each of its requests.
 */
export function useConnection(socket: Watched, user: ConnectionUser): void {
  const isNew = !(USER in socket);
  socket[USER] = user;
  if (!isNew) return;
  socket.prependListener('end', onLost);
  socket.prependListener('error', onLost);
  socket.on('agentRemove', onTaken);
}

/** The user is done with it. */
export function leaveConnection(socket: Watched, user: ConnectionUser): void {
  if (socket[USER] === user) socket[USER] = undefined;
}

function onLost(this: Watched, error?: Error): void {
  this[USER]?.onConnectionLost(error);
}

/** From here on it belongs to the caller, and so do its errors. */
function onTaken(this: Watched): void {
  this.off('end', onLost);
  this.off('error', onLost);
  this.off('agentRemove', onTaken);
  const user = this[USER];
  this[USER] = undefined;
  user?.onConnectionTaken();
}
