import type { SharedUse } from '@rollcall/dataplane';

type Use = SharedUse['sources'][number];

interface Bucket {
  tokens: number;
  atMs: number;
  /** Of which other processes have not been told. */
  spent: number;
}

export interface BucketRules {
  readonly perSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

/** Buckets are looked through so often, in ms. */
const SWEEP_MS = 10_000;
/** Beyond this number the oldest keys are forgotten, so that nobody can fill the memory with new ones. */
const MOST_KEYS = 100_000;

/** A token bucket for each key. Several processes can share them: each tells what it has spent. */
export class TokenBuckets {
  readonly #rules: BucketRules;
  readonly #buckets = new Map<string, Bucket>();
  #isShared = false;
  #sweptMs = 0;

  constructor(rules: BucketRules) {
    this.#rules = rules;
  }

  /** Takes a token. 0: there was one; else how long it takes until there is one, in ms. */
  take(key: string, nowMs: number): number {
    this.#sweep(nowMs);
    const bucket = this.#filled(key, nowMs);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / this.#rules.perSecond) * 1_000;
    bucket.tokens--;
    bucket.spent++;
    return 0;
  }

  /** What was spent since the last time. */
  takeUse(): Use[] {
    this.#isShared = true;
    const uses: Use[] = [];
    for (const [name, bucket] of this.#buckets) {
      if (bucket.spent === 0) continue;
      uses.push({ name, connections: 0, requests: bucket.spent, bytes: 0 });
      bucket.spent = 0;
    }
    return uses;
  }

  /** What other processes have spent. More than there was: the key waits the longer. */
  applyUse(name: string, requests: number, nowMs: number): void {
    this.#filled(name, nowMs).tokens -= requests;
  }

  #filled(key: string, nowMs: number): Bucket {
    const { perSecond, burst } = this.#rules;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: burst, atMs: nowMs, spent: 0 };
      this.#buckets.set(key, bucket);
      if (this.#buckets.size > MOST_KEYS) this.#forgetOldest();
      return bucket;
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = nowMs;
    return bucket;
  }

  /** Forgets buckets that are full again. */
  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    const { perSecond, burst } = this.#rules;
    for (const [key, { tokens, atMs, spent }] of this.#buckets) {
      const isFull = tokens + ((nowMs - atMs) / 1_000) * perSecond >= burst;
      if (isFull && !(this.#isShared && spent > 0)) this.#buckets.delete(key);
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
