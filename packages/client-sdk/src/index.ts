export type { Policy } from '@rollcall/balancing';
export {
  type Condition,
  type DeclaredPort,
  type DeclaredService,
  type Endpoint,
  hostnameOf,
  type ServiceReport,
} from '@rollcall/contract';
export type { Catalog, CatalogChange, CatalogOptions } from './catalog.ts';
export { CLIENT_FAULTS, RollcallError, type RollcallErrorCode } from './error.ts';
export type { RollcallOptions } from './options.ts';
export type {
  DrainOptions,
  LeaseState,
  RegisterOptions,
  Registration,
  RegistrationEvents,
} from './registration.ts';
export { Rollcall } from './rollcall.ts';
export type { Runtime, SignalSource, Timer } from './runtime.ts';
export type {
  NoEndpoint,
  Outcome,
  PickedEndpoint,
  Service,
  ServiceOptions,
  ServiceRequestOptions,
  ServiceSnapshot,
  ServiceStats,
} from './service.ts';
