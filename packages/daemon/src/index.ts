export {
  type AdminAnswer,
  type AdminParts,
  type AdminRequest,
  createAdminServer,
  listenAdmin,
  type Readiness,
  isServing,
  readinessOf,
} from './admin-server.ts';
export {
  type BrowserGuardOptions,
  BrowserGuard,
  guardAdmin,
  guardBrowsers,
} from './browser-guard.ts';
export { isHostPattern } from './options/host-patterns.ts';
export { nearestWord, urlHostOf } from '@rollcall/contract';
export { type PassedSocket, passedSockets, socketsByListener } from './activation.ts';
export { tokenFile } from './options/token-file.ts';
export { clientOptions, logConnection } from './client-options.ts';
export { createLogger, lineLog, type Tell, tellOf } from './log.ts';
export { loggingSupervisor } from './logging-supervisor.ts';
export { type MetricDescription, ProgramMetrics, type Sample } from './metrics.ts';
export { logLevelOption } from './options/log-level.ts';
export { adminOptions } from './options/admin-options.ts';
export { helpText, shownDefault } from './options/help-text.ts';
export { programOptions } from './options/program-options.ts';
export {
  int,
  onOff,
  type OptionSpec,
  type OptionTable,
  type OptionValues,
  spec,
} from './options/option-spec.ts';
export { pemFile } from './options/pem-file.ts';
export {
  type RegistryAccess,
  REGISTRY_OPTIONS,
  registryAccess,
} from './options/registry-options.ts';
export { ConfigError, readOptions } from './options/read-options.ts';
export { parseSocketAddress, type SocketAddress } from './options/socket-address.ts';
export { versionOf } from './package-version.ts';
export { stackOf } from './process-guard.ts';
export type { Refusal } from './refusal.ts';
export {
  EXIT,
  type Program,
  type ProgramContext,
  runProgram,
  type RunningProgram,
} from './run-program.ts';
export { answeredEnd, httpSpanName, methodAttributes } from './tracing/http-attributes.ts';
export type { OpenSpan, SpanAttributes, SpanEnd, Tracing } from './tracing/tracing.ts';
export { bindFailure, StartError } from './start-error.ts';
export { type Loop, type LoopFaults, type SupervisorOptions, Supervisor } from './supervisor.ts';
