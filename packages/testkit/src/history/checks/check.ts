import type { Limits } from '../facts/bounds.ts';
import type { Happening, Promised, Seen } from '../facts/happening.ts';
import type { Truth } from '../facts/truth.ts';

export interface Violation {
  readonly promise: Promised;
  readonly atMs: number;
  readonly message: string;
  /** What shows it, in order. */
  readonly evidence: readonly Happening[];
}

/** One run, ready to be checked. */
export interface Run {
  /** In the order of `atMs`. */
  readonly happenings: readonly Happening[];
  readonly truth: Truth;
  readonly limits: Limits;
}

/** Finds where one promise, or a part of it, was broken. */
export type Check = (run: Run) => Violation[];

export type Kind = Happening['kind'];

/** The happenings of one kind. */
export function only<K extends Kind>(
  happenings: readonly Happening[],
  kind: K,
): Extract<Happening, { kind: K }>[] {
  return happenings.filter((one): one is Extract<Happening, { kind: K }> => one.kind === kind);
}

/** The pictures of each watcher of each service, in order. */
export function pictures(happenings: readonly Happening[]): Seen[][] {
  const key = ({ watcher, service }: Seen) => `${watcher} ${service}`;
  return [...Map.groupBy(only(happenings, 'seen'), key).values()];
}

/** Names in a picture, of one tier or of all. */
export function namesIn(seen: Seen | undefined, tier?: 0): Set<string> {
  const endpoints = seen?.endpoints ?? [];
  const chosen = tier === undefined ? endpoints : endpoints.filter((one) => one.tier === tier);
  return new Set(chosen.map(({ instance }) => instance));
}
