export type { Candidate } from './candidate.ts';
export { Ejection, type EjectionOptions, type FailureKind } from './ejection.ts';
export type { NonePicked, NoneReason, PickContext, Picked, Picker, PickResult } from './picker.ts';
export { createPicker } from './picker/leveled-picker.ts';
export { POLICIES, type Policy } from './policy.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
