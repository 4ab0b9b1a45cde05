import type { PoolTarget } from './pool-target.ts';

/** Whose targets come first. */
export interface ZonePreference {
  readonly zone: string;
  /** The zone is not preferred while a smaller share of its targets is good, 0..1. */
  readonly spillBelow: number;
}

const NONE: ReadonlySet<never> = new Set();

/**
 * The targets that are used only when no target of the preferred zone may take a call. None while too few of that zone
 * are good, or it has none: then all are used alike. `good`: those of `targets` that are neither unfit nor ejected.
 */
export function farTargets<T extends PoolTarget>(
  preference: ZonePreference | undefined,
  targets: readonly T[],
  good: readonly T[],
): ReadonlySet<T> {
  if (preference === undefined) return NONE;
  const { zone, spillBelow } = preference;
  const isNear = ({ endpoint }: T): boolean => endpoint.zone === zone;
  const nearCount = targets.filter(isNear).length;
  const goodCount = good.filter(isNear).length;
  if (goodCount === 0 || goodCount < nearCount * spillBelow) return NONE;
  return new Set(targets.filter((target) => !isNear(target)));
}
