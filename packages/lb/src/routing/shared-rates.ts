import type { SharedUse } from '@rollcall/dataplane';
import { RateLimit } from './gates/rate-limit.ts';
import type { KeptParts } from './kept-parts.ts';

/** Between the key of a rule and that of a client; neither can contain it. */
const BETWEEN = '\n';

/** What has been used of the rates of rules, for processes that share them; added to what is used of other limits. */
export function withRates(use: SharedUse, kept: KeptParts): SharedUse {
  const rates = [...kept.values()].flatMap(([key, part]) =>
    part instanceof RateLimit
      ? part.buckets.takeUse().map((one) => ({ ...one, name: `${key}${BETWEEN}${one.name}` }))
      : [],
  );
  return rates.length === 0 ? use : { ...use, sources: [...use.sources, ...rates] };
}

/** Applies what others have used of the rates. @returns the rest, which is of other limits. */
export function takeRates(use: SharedUse, kept: KeptParts, nowMs: number): SharedUse {
  if (!use.sources.some(({ name }) => name.includes(BETWEEN))) return use;
  const limits = new Map(kept.values());
  const others = use.sources.filter(({ name, requests }) => {
    const at = name.indexOf(BETWEEN);
    if (at === -1) return true;
    const limit = limits.get(name.slice(0, at));
    if (limit instanceof RateLimit) limit.buckets.applyUse(name.slice(at + 1), requests, nowMs);
    return false;
  });
  return { ...use, sources: others };
}
