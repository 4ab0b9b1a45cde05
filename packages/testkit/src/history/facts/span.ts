/** A period of time, in ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The same time as sorted spans that neither touch nor overlap. */
export function united(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (span.toMs < span.fromMs) continue;
    if (last === undefined || span.fromMs > last.toMs) all.push(span);
    else if (span.toMs > last.toMs) all[all.length - 1] = { ...last, toMs: span.toMs };
  }
  return all;
}

/** The intersection of both. */
export function shared(some: readonly Span[], others: readonly Span[]): Span[] {
  const found = some.flatMap((one) =>
    others
      .filter((other) => overlaps(one, other))
      .map((other) => ({
        fromMs: Math.max(one.fromMs, other.fromMs),
        toMs: Math.min(one.toMs, other.toMs),
      })),
  );
  return united(found);
}

export function overlaps(one: Span, other: Span): boolean {
  return one.fromMs <= other.toMs && other.fromMs <= one.toMs;
}

/** Whether one of the spans contains the whole stretch. */
export function covers(spans: readonly Span[], stretch: Span): boolean {
  return spans.some(({ fromMs, toMs }) => fromMs <= stretch.fromMs && stretch.toMs <= toMs);
}

/** The span that contains a moment. */
export function spanAt(spans: readonly Span[], atMs: number): Span | undefined {
  return spans.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
}
