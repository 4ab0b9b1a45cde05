export {
  type BrowserGuardOptions,
  BrowserGuard,
  guardAdmin,
  guardBrowsers,
} from './browser-guard.ts';
export { isHostPattern } from './host-patterns.ts';
export { guardProcess, type ProcessLog, stackOf, stderrLog } from './process-guard.ts';
export type { Refusal } from './refusal.ts';
export {
  type Loop,
  type LoopFaults,
  type LoopTimer,
  type SupervisorOptions,
  Supervisor,
} from './supervisor.ts';
