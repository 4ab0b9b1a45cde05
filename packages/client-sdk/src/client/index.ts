// `@rollcall/client-sdk/registration`: for processes that register, and call no services.
export { RegistrationClient } from './registration-client.ts';
export { CLIENT_FAULTS, RollcallError, type RollcallErrorCode } from '../base/error.ts';
export type { ConnectionEvents, ConnectionState, Logger } from '../api/connection.ts';
export type { RollcallOptions } from '../api/options.ts';
export type {
  DrainOptions,
  LeaseState,
  RegisterOptions,
  Registration,
  RegistrationEvents,
} from '../api/registration.ts';
export type { Drained } from '../serving/drainable-server.ts';
export type { InstanceOptions } from '../serving/instance-options.ts';
export { serveInstance, type ServedInstance } from '../serving/serve-instance.ts';
export type { ServeOptions } from '../serving/serve-options.ts';
export { serveUntilDrained } from '../serving/serve-until-drained.ts';
export type { CallName, CallRequest, ReplyOf } from '../registry/call-request.ts';
