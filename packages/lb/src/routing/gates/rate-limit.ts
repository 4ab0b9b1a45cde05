import { type RequestView, type Respond, sourceOf } from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import type { RateLimitConfig } from '../../config/rule-schema.ts';
import { type Gate, GRANTED, type Verdict } from './gate.ts';
import { TokenBuckets } from './token-buckets.ts';

const BURST_SECONDS = 2;

/** Lets so many requests per second pass, of each source or of each value of a field. */
export class RateLimit implements Gate {
  readonly buckets: TokenBuckets;
  readonly #by: RateLimitConfig['by'];
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(
    { requestsPerSecond, burst, by }: RateLimitConfig,
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    const most = burst ?? Math.max(1, requestsPerSecond * BURST_SECONDS);
    this.buckets = new TokenBuckets({ perSecond: requestsPerSecond, burst: most });
    this.#by = by;
    this.#clock = clock;
  }

  judge(request: RequestView): Verdict {
    const waitMs = this.buckets.take(this.#keyOf(request), this.#clock.monotonicMs());
    return waitMs === 0 ? GRANTED : refusal(waitMs);
  }

  /** All requests without the field share one key. */
  #keyOf(request: RequestView): string {
    if (this.#by === 'source') return sourceOf(request.clientAddress);
    return request.field(this.#by.header.toLowerCase()) ?? '';
  }
}

function refusal(waitMs: number): Respond {
  return {
    kind: 'respond',
    status: 429,
    code: 'rate_limited',
    detail: 'too many requests',
    retryAfterSeconds: Math.ceil(waitMs / 1_000),
  };
}
