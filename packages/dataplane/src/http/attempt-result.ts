import type { TargetResult } from '../model/observer.ts';

export class AttemptResult implements TargetResult {
  status = 0;
  durationMs = 0;
  reason = '';
}
