import type { TargetResult } from '../observer.ts';

export class AttemptResult implements TargetResult {
  status = 0;
  durationMs = 0;
  reason = '';
}
