export { type HttpCounters } from './http/plane-counters.ts';
export { HttpServer, type HttpServerOptions, type HttpServerRuntime } from './http/http-server.ts';
export { NetTransport } from './io/net-transport.ts';
export type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  Listener,
  Transport,
} from './io/transport.ts';
export type { ExchangeRecord, Observer, TargetOutcome, TargetResult } from './observer.ts';
export { HTTP_LIMITS, HTTP_TIMEOUTS, type HttpLimits, type HttpTimeouts } from './options.ts';
export type { Forward, RequestView, Respond, Router } from './router.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { type Timers, systemTimers } from './runtime/timers.ts';
export {
  type NoTarget,
  type Target,
  type TargetCounters,
  type TargetGroup,
  type TargetSnapshot,
  createTargetCounters,
} from './target.ts';
