import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { constants } from 'node:os';
import { listeningBindings, type SocketHandle } from './handle-bindings.ts';
import { systemError } from './handle-connection.ts';
import type { Address } from './transport.ts';

/**
 * An address that this process has taken for others: it accepts nothing itself. Connections wait in the system until one
 * of the processes that were given the socket accepts them, also while there is none.
 */
export interface BoundSocket {
  /** The bound address: port 0 is replaced by the real port. */
  readonly address: Address;
  /** Can be sent to a child process with a message, and be listened on there. */
  readonly handle: SocketHandle;
  /** The address is free when those that were given the socket have closed it too. */
  close(): void;
}

/** Where a socket comes from. */
export interface SocketPlace extends Address {
  /** A socket that listens already, such as one that systemd passed; then host and port do not matter. */
  readonly fd?: number | undefined;
}

/**
 * Takes an address, or wraps the socket that was passed for it.
 * @throws the system's error (EADDRINUSE, EACCES, ...) when the address cannot be bound.
 */
export async function bindSocket({ host, port, fd }: SocketPlace): Promise<BoundSocket> {
  const bindings = listeningBindings();
  if (bindings === undefined)
    throw new Error('this Node.js has no sockets that several processes can share');
  const address = isIP(host) === 0 && fd === undefined ? (await lookup(host)).address : host;
  const handle = bindings.createListening();
  try {
    check(fd === undefined ? bindTo(handle, address, port) : handle.open(fd), 'bind');
    const name: { address?: string; port?: number } = {};
    // The system tells some faults of binding only later.
    check(handle.getsockname(name), 'bind');
    const { address: boundHost = address, port: boundPort = port } = name;
    if (port !== 0 && fd === undefined && boundPort !== port) throw systemError(IN_USE, 'bind');
    let isClosed = false;
    return {
      address: { host: boundHost, port: boundPort },
      handle,
      close() {
        if (!isClosed) handle.close();
        isClosed = true;
      },
    };
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** As libuv tells it: the negative number of the system. */
const IN_USE = -constants.errno.EADDRINUSE;

function bindTo(handle: SocketHandle, address: string, port: number): number {
  return isIP(address) === 6 ? handle.bind6(address, port, 0) : handle.bind(address, port);
}

function check(status: number, syscall: string): void {
  if (status !== 0) throw systemError(status, syscall);
}
