import { type AddressInfo, createServer, isIP } from 'node:net';
import { afterwards, type HandleBindings, type TcpHandle } from './handle-bindings.ts';
import {
  FIRST_BUFFER_BYTES,
  HandleConnection,
  type HandleParts,
  type SocketName,
  systemError,
} from './handle-connection.ts';
import { ClosedQueue } from './closed-queue.ts';
import { ReadBuffers } from './read-buffers.ts';
import { ServerListener } from './server-listener.ts';
import { startListening } from './start-listening.ts';
import { NetTransport, type NetTransportOptions } from './net-transport.ts';
import { PendingConnection } from './pending-connection.ts';
import { systemSendQueues } from './proc-send-queues.ts';
import type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  ConnectionListener,
  ListenAddress,
  ListenOptions,
  Transport,
} from './transport.ts';

interface ServerHandle extends Pick<TcpHandle, 'setNoDelay' | 'setKeepAlive'> {
  onconnection: (status: number, client: TcpHandle | undefined) => void;
}

/** Bare TCP handles: the least that Node.js does for a connection. */
export class HandleTransport implements Transport {
  readonly name = 'handle';
  readonly sendQueues = systemSendQueues;
  readonly #parts: HandleParts;
  readonly #keepAliveMs: number;
  readonly #net: NetTransport;

  constructor(io: HandleBindings, { keepAliveMs = 0 }: NetTransportOptions = {}) {
    const buffers = new ReadBuffers(FIRST_BUFFER_BYTES);
    this.#parts = { io, buffers, closed: new ClosedQueue() };
    this.#keepAliveMs = keepAliveMs;
    this.#net = new NetTransport({ keepAliveMs });
  }

  async listen(
    address: ListenAddress,
    accept: (connection: Connection) => ConnectionHandler,
    { handshaker, hasRoom = () => true }: ListenOptions = {},
  ): Promise<ConnectionListener> {
    // The public server binds and listens; only the handling of connections without a handshake is replaced.
    const keepAliveInitialDelay = this.#keepAliveMs;
    const keepAlive = keepAliveInitialDelay > 0;
    const server = createServer({ noDelay: true, keepAlive, keepAliveInitialDelay });
    await startListening(server, address);
    const { _handle: listening } = server as unknown as { _handle: ServerHandle };
    const { onconnection: publicly } = listening;
    const barely = this.#taking(server.address() as AddressInfo, accept);
    if (INHERITS_OPTIONS) this.#prepare(listening);
    return new ServerListener(server, {
      arrivals: { accept, hasRoom },
      handshaker,
      onSwitched: (isSecure) => {
        listening.onconnection = isSecure ? publicly : barely;
      },
      // Plain connections are taken from the handle, and do not come here.
      onPlain: (socket) => socket.resetAndDestroy(),
    });
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    const { host, port } = address;
    const version = isIP(host);
    // Host names must be resolved, and their addresses tried in turn.
    if (version === 0) return this.#net.connect(address, handler);
    const { io } = this.#parts;
    const handle = io.createHandle();
    const connection = new PendingConnection((error) => {
      handle.close(() => handler.onClose(error));
    });
    const done = (status: number) => {
      if (connection.isOver) return;
      if (status === 0) this.#open(handle, connection, handler);
      else connection.failed(connectError(status, address));
    };
    const request = io.createConnect();
    request.oncomplete = done;
    const status =
      version === 6 ? handle.connect6(request, host, port) : handle.connect(request, host, port);
    if (status !== 0) afterwards(() => done(status));
    return connection;
  }

  #open(handle: TcpHandle, pending: PendingConnection, handler: ConnectHandler): void {
    this.#prepare(handle);
    const connection = new HandleConnection(this.#parts, handle);
    pending.opened(connection);
    connection.attach(handler);
    handler.onConnect();
  }

  /** What is done with each connection that the system has accepted. */
  #taking(
    bound: AddressInfo,
    accept: (connection: Connection) => ConnectionHandler,
  ): ServerHandle['onconnection'] {
    const own = ownName(bound);
    return (status, client) => {
      if (status !== 0 || client === undefined) return;
      if (!INHERITS_OPTIONS) this.#prepare(client);
      const connection = new HandleConnection(this.#parts, client, own);
      // Closed between accept and here: its addresses are no longer known.
      if (connection.remoteAddress === '') client.close(() => {});
      else connection.attach(accept(connection));
    };
  }

  #prepare(handle: Pick<TcpHandle, 'setNoDelay' | 'setKeepAlive'>): void {
    handle.setNoDelay(true);
    if (this.#keepAliveMs > 0) handle.setKeepAlive(true, Math.ceil(this.#keepAliveMs / 1_000));
  }
}

/** Whether accepted connections have the options of the socket that listens. */
const INHERITS_OPTIONS = process.platform === 'linux';

/** This end of each accepted connection; undefined if that differs from one to another. */
function ownName({ address, port }: AddressInfo): SocketName | undefined {
  return address === '0.0.0.0' || address === '::' ? undefined : { address, port };
}

function connectError(status: number, { host, port }: Address): NodeJS.ErrnoException {
  const error = systemError(status, 'connect');
  error.message += ` ${host}:${port}`;
  return error;
}
