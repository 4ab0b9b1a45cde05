import type { Gauge, Meter } from '@opentelemetry/api';
import type { PictureMessage } from '@rollcall/client-sdk';
import { ATTRIBUTE, serviceAttributes } from '../semantics/attributes.ts';

/** How many endpoints the services in use have, by state. */
export class EndpointCounts {
  readonly #gauge: Gauge;
  /** States that a service has had: one without endpoints is 0 from then on. */
  readonly #known = new Map<string, Set<string>>();

  constructor(meter: Meter) {
    this.#gauge = meter.createGauge('rollcall.client.endpoints', {
      description: 'Endpoints of the services in use, in the latest picture.',
      unit: '{endpoint}',
    });
  }

  changed({ snapshot }: PictureMessage): void {
    const { namespace, service, endpoints } = snapshot;
    const key = `${namespace}/${service}`;
    const known = this.#known.get(key) ?? new Set();
    this.#known.set(key, known);
    const counts = new Map<string, number>();
    for (const { state } of endpoints) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const state of counts.keys()) known.add(state);
    const attributes = serviceAttributes({ namespace, service });
    for (const state of known)
      this.#gauge.record(counts.get(state) ?? 0, {
        ...attributes,
        [ATTRIBUTE.endpointState]: state,
      });
  }
}
