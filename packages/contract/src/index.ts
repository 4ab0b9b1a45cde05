export { Address, isDialable, urlHostOf } from './address.ts';
export { DeclaredPort, DeclaredService, hostnameOf, SCHEDULER_ANNOTATION } from './declared.ts';
export {
  DURABLE_FORMAT,
  DURABLE_VERSION,
  DurableExport,
  ImportOutcome,
  ImportReply,
} from './durable.ts';
export { Endpoint } from './endpoint.ts';
export { HealthCheck } from './health-check.ts';
export {
  DEFAULT_TTL_MS,
  DEFAULT_WEIGHT,
  Instance,
  InstancePatch,
  Labels,
  Lease,
  Registered,
  Registration,
  type RegistrationInput,
  Revised,
  Revision,
  WatchPosition,
  TtlMs,
  Weight,
} from './instance.ts';
export {
  InstanceId,
  isLeaseId,
  LabelKey,
  LabelValue,
  LeaseId,
  NamespaceName,
  PortName,
  ServiceName,
  shortLeaseId,
} from './names.ts';
export { KNOWN_METHODS } from './http-methods.ts';
export {
  ApplyReply,
  ApplyResult,
  Deleted,
  Fault,
  ManifestList,
  ManifestObject,
  PropagationPolicy,
} from './manifest.ts';
export { Override, OverrideRequest } from './override.ts';
export { InstancePort, InstancePorts, PortNumber, Protocol } from './port.ts';
export {
  Problem,
  PROBLEM_MEDIA_TYPE,
  type ProblemCode,
  ProblemError,
  PROBLEMS,
} from './problem.ts';
export { MAX_RENEWALS, RenewReply, RenewRequest } from './renewal.ts';
export { BalancerAddress, Condition, ReporterName, ServiceReport } from './report.ts';
export { SecretContent } from './secret.ts';
export { pathOf, type Route } from './route.ts';
export { type RouteName, ROUTES } from './routes.ts';
export {
  EndpointList,
  Explanation,
  InstanceList,
  ReportList,
  ServiceList,
  ServiceSummary,
  ServiceView,
} from './service.ts';
export {
  type Conditions,
  Doubt,
  type InstanceState,
  InstanceStatus,
  STATE_TABLE,
  stateOf,
  type Tier,
} from './state.ts';
export { nearestWord } from './nearest-word.ts';
export {
  type ErrorOfOption,
  hintOf,
  knownAt,
  parseOptions,
  unknownOption,
} from './option-fault.ts';
export { Timeline, TimelineEvent, TimelineKind } from './timeline.ts';
export {
  EndpointLoad,
  EndpointTraffic,
  LATENCY_BOUNDS_MS,
  MAX_REPORTED,
  TrafficReport,
  TrafficView,
} from './traffic.ts';
export {
  Acknowledgements,
  BookmarkEvent,
  ChangeEvent,
  CompactedEvent,
  DrainSight,
  ExtendedEvent,
  HoldEvent,
  MAX_TAKEN_UP,
  SnapshotEvent,
  WATCH_EVENTS,
  WATCH_PING_MS,
} from './watch.ts';
export {
  type InstanceKey,
  instanceKeyOf,
  type InstanceRef,
  isInstanceKey,
  namespaceOfKey,
  parseInstanceKey,
  parseServiceKey,
  type ServiceKey,
  serviceKeyOf,
  serviceKeyOfInstance,
  type ServiceRef,
} from './keys.ts';
