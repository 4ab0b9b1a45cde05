export { createHttpCounters, type HttpCounters } from './http/plane-counters.ts';
export { hasSameSourceLimits, sourceOf } from './http/sources.ts';
export type { SharedUse } from './http/shared-use.ts';
export type { HttpListener, HttpListenerOptions, ListenerRules } from './http/http-listener.ts';
export { createPseudonym } from './http/pseudonym.ts';
export {
  HttpServer,
  type HttpServerOptions,
  type HttpServerRuntime,
  type HttpServerSettings,
} from './http/http-server.ts';
export { bindSocket, type BoundSocket, type SocketPlace } from './io/bound-socket.ts';
export type { SocketHandle } from './io/handle-bindings.ts';
export type {
  DatagramHandler,
  DatagramListener,
  DatagramPeer,
  Datagrams,
  PeerHandler,
} from './io/datagrams.ts';
export { DgramDatagrams } from './io/dgram-datagrams.ts';
export { NetTransport, type NetTransportOptions } from './io/net-transport.ts';
export { HANDSHAKE_FAULTS, type HandshakeFault } from './io/tls/handshake-fault.ts';
export { openTlsIo, type TlsIo } from './io/tls/open-tls-io.ts';
export {
  TlsAcceptor,
  type TlsAcceptorOptions,
  type TlsAcceptorParts,
  type TlsContexts,
  type TlsRules,
} from './io/tls/tls-acceptor.ts';
export { TlsConnector, type TlsConnectorOptions } from './io/tls/tls-connector.ts';
export type { TlsCounters } from './io/tls/tls-counters.ts';
export type { TlsSession } from './io/tls-session.ts';
export { isLocalFault } from './io/local-faults.ts';
export { openTransport } from './io/open-transport.ts';
export type {
  Address,
  Arrivals,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  ConnectionListener,
  Connector,
  Handshaker,
  ListenAddress,
  ListenOptions,
  Listener,
  Transport,
} from './io/transport.ts';
export type { ExchangeRecord, Observer, TargetOutcome, TargetResult } from './model/observer.ts';
export { HTTP_LIMITS, HTTP_TIMEOUTS, type HttpLimits, type HttpTimeouts } from './model/options.ts';
export {
  type ConnectObserverGroup,
  type ConnectObserver,
  createPortService,
  createRefusalCounters,
  type PortPlace,
  type PortService,
  type RefusalCounters,
  type RefusalReason,
} from './model/port-service.ts';
export type { RequestIdRule } from './model/request-id.ts';
export type { RequestTrace, RequestTracer } from './model/request-tracer.ts';
export type {
  Decision,
  FieldEdits,
  Forward,
  Pending,
  RequestEdits,
  RequestLine,
  RequestView,
  Respond,
  Router,
} from './model/router.ts';
export { createSourceRanges } from './model/source-ranges.ts';
export {
  type NoTarget,
  type RetryRule,
  type Target,
  type TargetClient,
  type TargetCounters,
  type TargetGroup,
  createTargetCounters,
  EndpointTarget,
  type TargetQueue,
  type TargetSnapshot,
  type Waiter,
} from './model/target.ts';
export { TCP_OPTIONS, type TcpCounters, type TcpOptions } from './tcp/tcp-options.ts';
export { type TcpRuntime, TcpServer } from './tcp/tcp-server.ts';
export { UDP_OPTIONS, type UdpCounters, type UdpOptions } from './udp/udp-options.ts';
export { type UdpRuntime, UdpServer } from './udp/udp-server.ts';
