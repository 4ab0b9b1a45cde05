import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import type { EjectMessage, RequestMessage } from '@rollcall/client-sdk';
import type { Clock } from '@rollcall/runtime';
import {
  outcomeAttributes,
  requestAttributes,
  serviceAttributes,
} from '../semantics/attributes.ts';

/** Bounds in seconds, as the semantic conventions advise. */
const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface OpenTry {
  readonly startedMs: number;
  readonly attributes: Attributes;
}

/** The metrics of calls. */
export class CallMetrics {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #duration: Histogram;
  readonly #retries: Counter;
  readonly #ejections: Counter;
  readonly #open = new WeakMap<RequestMessage, OpenTry>();

  constructor(meter: Meter, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#duration = meter.createHistogram('http.client.request.duration', {
      description: 'Duration of HTTP client requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDS_S },
    });
    this.#retries = meter.createCounter('rollcall.client.retries', {
      description: 'Tries after the first one of a call.',
      unit: '{retry}',
    });
    this.#ejections = meter.createCounter('rollcall.client.ejections', {
      description: 'Endpoints that were left out for a while, because calls to them failed.',
      unit: '{ejection}',
    });
  }

  tryStarted(message: RequestMessage): void {
    const startedMs = this.#clock.monotonicMs();
    this.#open.set(message, { startedMs, attributes: requestAttributes(message) });
    if (message.tries > 1) this.#retries.add(1, serviceAttributes(message));
  }

  /** Does nothing when no try is open. */
  tryEnded(message: RequestMessage): void {
    const open = this.#open.get(message);
    if (open === undefined) return;
    this.#open.delete(message);
    const seconds = (this.#clock.monotonicMs() - open.startedMs) / 1_000;
    this.#duration.record(seconds, { ...open.attributes, ...outcomeAttributes(message) });
  }

  ejected(message: EjectMessage): void {
    this.#ejections.add(1, serviceAttributes(message));
  }
}
