export type { Duration } from './clock/duration.ts';
export type { TestInstanceOptions } from './instance/instance-options.ts';
export type { ReceivedRequest } from './instance/received-request.ts';
export type { TestInstance } from './instance/test-instance.ts';
export type { TestRegistryOptions } from './options.ts';
export type { ServerLogger, ServerOptions } from './server/server-options.ts';
export type { Refusal } from './server/gate.ts';
export { TestRegistry } from './test-registry.ts';
export type { UntilOptions } from './until.ts';
