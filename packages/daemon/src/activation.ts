/** A listening socket that the service manager opened for this program. */
export interface PassedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit; empty when it has none. */
  readonly name: string;
}

const FIRST_FD = 3;

/**
 * The sockets that systemd passed (socket activation, sd_listen_fds(3)); none when they are meant for another process.
 * Removes the variables, so that no child takes the sockets for its own.
 */
export function passedSockets(environment: NodeJS.ProcessEnv, pid: number): PassedSocket[] {
  const {
    LISTEN_PID: meant = '',
    LISTEN_FDS: count = '',
    LISTEN_FDNAMES: names = '',
  } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  if (Number(meant) !== pid || !/^\d{1,4}$/.test(count)) return [];
  const named = names.split(':');
  return Array.from({ length: Number(count) }, (_, i) => ({
    fd: FIRST_FD + i,
    name: named[i] ?? '',
  }));
}

/**
 * Which socket each listener gets: the one with its name, else the next without the name of another listener. Listeners
 * without a socket are left out, and so are sockets without a listener.
 */
export function socketsByListener(
  listeners: readonly string[],
  sockets: readonly PassedSocket[],
): ReadonlyMap<string, number> {
  const others = sockets.filter(({ name }) => !listeners.includes(name)).map(({ fd }) => fd);
  const found = new Map<string, number>();
  for (const listener of listeners) {
    const own = sockets.find(({ name }) => name === listener)?.fd ?? others.shift();
    if (own !== undefined) found.set(listener, own);
  }
  return found;
}
