import { bindFailure, type StartError } from '@rollcall/daemon';
import { TcpListener, type TcpListenerParts } from './tcp-listener.ts';
import { UdpListener, type UdpListenerParts } from './udp-listener.ts';

/** A free UDP port may be in use for TCP: number of ports to try. */
const MAX_TRIES = 20;

interface Closable {
  close(): Promise<unknown>;
}

export type ListenerParts = UdpListenerParts & TcpListenerParts;

/** The sockets of one server, for UDP and TCP on the same port of each address. */
export interface Listeners {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on all addresses.
 * @param port 0 = any port that is free on all of them, for both transports
 * @throws StartError that names the address; then nothing is left open
 */
export async function openListeners(
  hosts: readonly string[],
  port: number,
  parts: ListenerParts,
): Promise<Listeners> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryPort(hosts, port, parts);
    } catch (error) {
      const { code } = (error as StartError).cause as NodeJS.ErrnoException;
      if (port !== 0 || code !== 'EADDRINUSE' || attempt >= MAX_TRIES) throw error;
    }
  }
}

async function tryPort(
  hosts: readonly string[],
  wanted: number,
  parts: ListenerParts,
): Promise<Listeners> {
  const open: Closable[] = [];
  const close = async () => {
    await Promise.all(open.map((listener) => listener.close()));
  };
  let port = wanted;
  for (const host of hosts) {
    try {
      const udp = await UdpListener.open(parts, { host, port });
      open.push(udp);
      port = udp.port;
      open.push(await TcpListener.open(parts, { host, port }));
    } catch (error) {
      await close();
      throw bindFailure({ host, port }, '--host or --port (0: any free port)', error);
    }
  }
  return { port, close };
}
