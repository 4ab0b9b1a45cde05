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
  type BalancerAddress,
  type ServiceReport,
} from '@rollcall/contract';
export type { Catalog, CatalogChange, CatalogOptions } from './api/catalog.ts';
export * from './client/index.ts';
export { Rollcall } from './rollcall.ts';
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
