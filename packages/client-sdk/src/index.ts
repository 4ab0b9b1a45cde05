export type { RequestPolicy as Policy } from '@rollcall/balancing';
export {
  type ApplyReply,
  type ApplyResult,
  type Condition,
  type DeclaredPort,
  type DeclaredService,
  type Endpoint,
  type Explanation,
  type Fault,
  hostnameOf,
  type Instance,
  type EndpointLoad,
  LATENCY_BOUNDS_MS,
  type ManifestObject,
  parseServiceKey,
  type RouteName,
  type ServiceKey,
  serviceKeyOf,
  type TimelineEvent,
  type ServiceReport,
} from '@rollcall/contract';
export type { CallName, CallRequest, ReplyOf } from './registry/call-request.ts';
export type { ConnectionEvents, ConnectionState, Logger } from './api/connection.ts';
export type { Catalog, CatalogChange, CatalogOptions } from './api/catalog.ts';
export { CLIENT_FAULTS, RollcallError, type RollcallErrorCode } from './base/error.ts';
export type { RollcallOptions } from './api/options.ts';
export type {
  DrainOptions,
  LeaseState,
  RegisterOptions,
  Registration,
  RegistrationEvents,
} from './api/registration.ts';
export { Rollcall } from './rollcall.ts';
export type { Drained } from './serving/drainable-server.ts';
export type { InstanceOptions } from './serving/instance-options.ts';
export { serveInstance, type ServedInstance } from './serving/serve-instance.ts';
export type { ServeOptions } from './serving/serve-options.ts';
export { serveUntilDrained } from './serving/serve-until-drained.ts';
export type {
  EjectMessage,
  PictureMessage,
  RegistrationMessage,
  RequestMessage,
} from './diagnostics/channels.ts';
export type { CalledTarget, TrafficSource } from './api/traffic.ts';
export type { Timer } from '@rollcall/runtime';
export type { Runtime, SignalSource } from './base/runtime.ts';
export type {
  RegistryTransport,
  ReplyBody,
  TransportReply,
  TransportRequest,
} from './base/transport.ts';
export type {
  EjectionExplanation,
  EndpointExplanation,
  NotChosen,
  ServiceExplanation,
} from './api/explanation.ts';
export type { CallSettings, EndpointFilter, RetryOptions } from './api/call-settings.ts';
export type {
  NoEndpoint,
  Outcome,
  PickedEndpoint,
  ReadyOptions,
  Service,
  ServiceOptions,
  ServiceRequestOptions,
  ServiceSnapshot,
  ServiceStats,
} from './api/service.ts';
