import type { Meter } from '@opentelemetry/api';
import type { Clock } from '@rollcall/runtime';
import { CallMetrics } from './calls/call-metrics.ts';
import { EndpointCounts } from './state/endpoint-counts.ts';
import { RegistrationStates } from './state/registration-states.ts';

/** All metrics, on one meter. */
export class Instruments {
  readonly calls: CallMetrics;
  readonly endpoints: EndpointCounts;
  readonly registrations: RegistrationStates;

  constructor(meter: Meter, clock: Pick<Clock, 'monotonicMs'>) {
    this.calls = new CallMetrics(meter, clock);
    this.endpoints = new EndpointCounts(meter);
    this.registrations = new RegistrationStates(meter);
  }
}
