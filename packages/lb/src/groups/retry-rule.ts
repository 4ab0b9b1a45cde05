import type { RetryRule } from '@rollcall/dataplane';
import type { TargetGroupConfig } from '../config/schema.ts';
import { parseStatusCodes } from '../config/status-codes.ts';

/** Which answers of its targets a group does not pass on. */
export function retryRuleOf({ retry }: TargetGroupConfig): RetryRule | undefined {
  const isFor = retry === undefined ? undefined : parseStatusCodes(retry.codes);
  return isFor === undefined ? undefined : { isFor, attempts: retry?.attempts };
}
