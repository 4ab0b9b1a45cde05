export { Affinity, type AffinityOptions, type Bond } from './pool/affinity.ts';
export type { Candidate } from './order/candidate.ts';
export { type Ejected, Ejection, type EjectionOptions, type FailureKind } from './pool/ejection.ts';
export type {
  NonePicked,
  NoneReason,
  PickContext,
  Picked,
  Picker,
  PickResult,
} from './order/picker.ts';
export { hashOf } from './order/hash.ts';
export { createPicker } from './picker/leveled-picker.ts';
export type { PoolExplanation, Refusal, TargetExplanation } from './pool/pool-explanation.ts';
export { PoolTarget } from './pool/pool-target.ts';
export { TargetTraffic, type TrafficWindow } from './pool/target-traffic.ts';
export { PortPool, type PortPoolOptions } from './pool/port-pool.ts';
export type { PoolState } from './pool/pool-state.ts';
export { type PoolSettings, TargetPool, type TargetPoolOptions } from './pool/target-pool.ts';
export type { Caller, PoolRules, PoolSnapshot } from './pool/pool-snapshot.ts';
export { ServicePools, type ServicePoolsOptions } from './pool/service-pools.ts';
export { type Conditions, usable } from './pool/usable.ts';
export {
  CONNECTION_POLICIES,
  POLICIES,
  type Policy,
  policyOf,
  REQUEST_POLICIES,
  type RequestPolicy,
} from './order/policy.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
