import { type PassedSocket, socketsByListener, StartError, urlHostOf } from '@rollcall/daemon';
import type { Address } from '@rollcall/dataplane';
import type { Config, ListenerConfig } from '../config/schema.ts';

/** A listener of a configuration, and where it accepts. */
export interface PlannedListener {
  readonly config: ListenerConfig;
  /** Its place in the list, for messages. */
  readonly index: number;
  /**
   * The same for two configurations if the same socket serves both: its address, or the socket that was passed for it. A
   * listener on any free port keeps its port for as long as it keeps its name.
   */
  readonly key: string;
  /** The passed socket. */
  readonly fd: number | undefined;
}

/** @throws StartError when more sockets were passed than there are listeners. */
export function planListeners(
  { listeners }: Pick<Config, 'listeners'>,
  sockets: readonly PassedSocket[],
): readonly PlannedListener[] {
  const names = listeners.map(({ name }) => name);
  const fds = socketsByListener(names, sockets);
  if (fds.size < sockets.length) {
    throw new StartError(
      `${sockets.length} sockets were passed for ${names.length} listeners: connections to the others would wait for ever`,
    );
  }
  return listeners.map((config, index) => {
    const fd = fds.get(config.name);
    return { config, index, key: keyOf(config, fd), fd };
  });
}

/** What a listener is reached by, for example `http://127.0.0.1:8080`. */
export function urlOf({ protocol }: ListenerConfig, { host, port }: Address): string {
  return `${protocol}://${urlHostOf(host)}:${port}`;
}

function keyOf({ name, host, port }: ListenerConfig, fd: number | undefined): string {
  if (fd !== undefined) return `descriptor ${fd}`;
  return port === 0 ? `${name} at ${host}` : `${host}:${port}`;
}
