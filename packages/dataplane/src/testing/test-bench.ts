import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpListenerOptions } from '../http/http-listener.ts';
import { HttpServer } from '../http/http-server.ts';
import type { Connector } from '../io/transport.ts';
import type { SendQueues } from '../io/send-queues.ts';
import { failingLocally } from './failing-transport.ts';
import { withSendQueues } from './fake-send-queues.ts';
import {
  connectorUnderTest,
  createTargetServer,
  isOverTls,
  targetCertificate,
} from './tls-under-test.ts';
import { transportUnderTest } from './transport-under-test.ts';
import {
  HTTP_LIMITS,
  HTTP_TIMEOUTS,
  type HttpLimits,
  type HttpTimeouts,
} from '../model/options.ts';
import type { RequestTracer } from '../model/request-tracer.ts';
import { type Clock, systemClock } from '@rollcall/runtime';
import type { ManualClock } from '@rollcall/runtime/testing';
import { Recorder, TargetList, createTarget } from './target-list.ts';

export interface BenchOptions {
  timeouts?: Partial<HttpTimeouts>;
  limits?: Partial<HttpLimits>;
  trustForwarded?: boolean;
  underscoresInHeaders?: boolean;
  pseudonym?: string;
  /** Used instead of real time. */
  runtime?: ManualClock;
  listener?: HttpListenerOptions;
  /** Error code of a connect to the host `short`. */
  localFault?: string;
  tracer?: RequestTracer;
  /** Used instead of those of the system. */
  sendQueues?: SendQueues;
}

/** A data plane on real sockets with its upstreams; disposing it ends all of them. */
export class TestBench implements AsyncDisposable {
  readonly recorder = new Recorder();
  readonly group = new TargetList([]);
  readonly server: HttpServer;
  port = 0;
  readonly #ends: (() => void)[] = [];
  readonly #runtime: ManualClock | undefined;

  private constructor(options: BenchOptions) {
    const { timeouts, limits, trustForwarded = false, runtime, sendQueues } = options;
    const { underscoresInHeaders = false, pseudonym = 'rollcall-test' } = options;
    const real = transportUnderTest();
    const transport =
      options.localFault === undefined ? real : failingLocally(real, options.localFault);
    this.#runtime = runtime;
    this.server = new HttpServer(
      {
        observer: this.recorder,
        tracer: options.tracer,
        timeouts: { ...HTTP_TIMEOUTS, ...timeouts },
        limits: { ...HTTP_LIMITS, ...limits },
        trustForwarded,
        underscoresInHeaders,
        pseudonym,
      },
      {
        transport: sendQueues === undefined ? transport : withSendQueues(transport, sendQueues),
        clock: withFixedDate(runtime ?? systemClock),
      },
    );
  }

  static async start(options: BenchOptions = {}): Promise<TestBench> {
    const bench = new TestBench(options);
    const listener = await bench.server.listen(
      { host: '127.0.0.1', port: 0 },
      bench.group,
      options.listener,
    );
    bench.port = listener.address.port;
    return bench;
  }

  /** Starts a node:http server and adds it as a target. */
  async addHttp(listener: RequestListener): Promise<Server> {
    const server = isOverTls()
      ? createHttpsServer(targetCertificate(), listener)
      : createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#add((server.address() as AddressInfo).port, connectorUnderTest());
    this.#ends.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return server;
  }

  /** Starts a TCP server and adds it as a target. */
  async addTcp(onSocket: (socket: Socket) => void): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createTargetServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onSocket(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#add((server.address() as AddressInfo).port, connectorUnderTest());
    this.#ends.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
  }

  /** A target that speaks no TLS, in any test run. */
  addPort(port: number): void {
    this.#add(port, undefined);
  }

  /** A target that speaks as the test run does. */
  addLike(port: number): void {
    this.#add(port, connectorUnderTest());
  }

  #add(port: number, connector: Connector | undefined): void {
    this.group.targets = [...this.group.targets, createTarget(port, undefined, connector)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    const closed = this.server.close(0);
    this.#runtime?.advance(1_000);
    await closed;
  }
}

/** Answers every chunk of a request with the same bytes. */
export function answering(response: string, then?: (socket: Socket) => void) {
  return (socket: Socket) => {
    socket.on('data', () => {
      socket.write(response, 'latin1');
      then?.(socket);
    });
  };
}

/** All responses have the same date. */
function withFixedDate(clock: Clock): Clock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    wallMs: () => 784_111_777_000,
    after: (...given) => clock.after(...given),
    every: (...given) => clock.every(...given),
  };
}
