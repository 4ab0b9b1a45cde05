import { readFileSync } from 'node:fs';

const LINE = /^Max open files +(\d+)/m;
/** Of the registry, logs, listeners and what the program has besides; at most a quarter. */
const RESERVE = 64;

/** File descriptors that this process may have, as Linux says; no bound where the system does not tell. */
export function systemDescriptors(): number {
  try {
    const [, limit] = LINE.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What is left for traffic, for each of `shares` that divide it. */
export function descriptorShare(limit: number, shares: number): number {
  return Math.max(2, Math.floor((limit - Math.min(RESERVE, limit / 4)) / shares));
}
