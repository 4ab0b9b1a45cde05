import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { failingLocally } from './failing-transport.ts';
import { transportUnderTest } from './transport-under-test.ts';
import type { SendQueues } from '../io/send-queues.ts';
import type { Address, ConnectHandler, Connection, Transport } from '../io/transport.ts';
import type { ConnectObserver, PortService, RefusalReason } from '../model/port-service.ts';
import { systemClock } from '@rollcall/runtime';
import { TCP_OPTIONS, type TcpOptions } from '../tcp/tcp-options.ts';
import { TcpServer } from '../tcp/tcp-server.ts';
import type { ManualClock } from '@rollcall/runtime/testing';
import { TargetList } from './target-list.ts';

/** Records what it observes. */
export class ConnectRecorder implements ConnectObserver {
  readonly connected: string[] = [];
  readonly failed: string[] = [];
  readonly refused: RefusalReason[] = [];

  onConnected({ id }: { id: string }): void {
    this.connected.push(id);
  }

  onConnectFailed({ id }: { id: string }, reason: string): void {
    this.failed.push(`${id} ${reason}`);
  }

  onRefused(reason: RefusalReason): void {
    this.refused.push(reason);
  }
}

export function createService(group: TargetList, observer = new ConnectRecorder()) {
  return { group, observer } satisfies PortService;
}

/** A TCP server that ends with the bench. */
export async function listenTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, sockets, close };
}

/** Real sockets, except for the host `void`, which never answers. */
class BenchTransport implements Transport {
  readonly name = 'bench';
  readonly #inner = failingLocally(transportUnderTest({ keepAliveMs: 60_000 }), 'EMFILE');
  readonly sendQueues: SendQueues;

  constructor(sendQueues?: SendQueues) {
    this.sendQueues = sendQueues ?? this.#inner.sendQueues;
  }

  listen(...given: Parameters<Transport['listen']>): ReturnType<Transport['listen']> {
    return this.#inner.listen(...given);
  }

  connect(address: Address, handler: ConnectHandler): Connection {
    if (address.host !== 'void') return this.#inner.connect(address, handler);
    const nothing = () => {};
    return {
      remoteAddress: '',
      localAddress: '',
      localPort: 0,
      remotePort: 0,
      write: () => true,
      pause: nothing,
      resume: nothing,
      shutdown: nothing,
      close: nothing,
      abort: nothing,
    };
  }
}

/** Waits until a socket is closed, with or without an error. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => void socket.once('close', resolve));
}

interface TcpBenchParts {
  readonly runtime: ManualClock | undefined;
  readonly sendQueues: SendQueues | undefined;
}

/** A TCP plane in front of a list of targets, on real sockets. */
export class TcpBench implements AsyncDisposable {
  readonly group = new TargetList([]);
  readonly observer = new ConnectRecorder();
  readonly place: { service: PortService };
  readonly server: TcpServer;
  port = 0;
  readonly ends: (() => void)[] = [];
  readonly #runtime: ManualClock | undefined;

  private constructor(options: Partial<TcpOptions>, { runtime, sendQueues }: TcpBenchParts) {
    this.#runtime = runtime;
    this.place = { service: createService(this.group, this.observer) };
    this.server = new TcpServer(
      { ...TCP_OPTIONS, ...options },
      {
        transport: new BenchTransport(sendQueues),
        clock: runtime ?? systemClock,
      },
    );
  }

  static async start(
    options: Partial<TcpOptions> = {},
    runtime?: ManualClock,
    sendQueues?: SendQueues,
  ): Promise<TcpBench> {
    const bench = new TcpBench(options, { runtime, sendQueues });
    const listener = await bench.server.listen({ host: '127.0.0.1', port: 0 }, bench.place);
    bench.port = listener.address.port;
    return bench;
  }

  /** A connection that may not be open yet, or not any more. */
  open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.ends.push(() => socket.destroy());
    socket.on('error', () => {});
    return socket;
  }

  async connect(): Promise<Socket> {
    const socket = this.open();
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.ends) end();
    const closing = this.server.close(0);
    this.#runtime?.advance(1_000);
    await closing;
  }
}
