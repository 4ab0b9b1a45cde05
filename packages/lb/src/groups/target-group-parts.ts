import type { Random } from '@rollcall/runtime';
import type { HealthCheckConfig } from '../config/schema.ts';
import type { HealthChecks } from '../health/health-checks.ts';
import type { ProbeWay } from '../health/http-probe.ts';
import type { ConnectionCloser } from './draining-targets.ts';
import type { StandingsParts } from './standings.ts';
import type { TargetSource } from './target-source.ts';
import type { TargetWay } from './target-way.ts';

/** What a target group works with. */
export interface TargetGroupParts extends StandingsParts {
  readonly source: TargetSource;
  readonly closer: ConnectionCloser;
  /** How targets are reached until another way is given. @default by plain connections */
  readonly way?: TargetWay | undefined;
  /** `onChange`: must be called when the state of a target has changed. */
  readonly openChecks: (
    config: HealthCheckConfig,
    onChange: () => void,
    way: ProbeWay | undefined,
    source: TargetSource,
  ) => HealthChecks;
  readonly random: Random['share'];
}
