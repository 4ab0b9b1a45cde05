import { readFileSync } from 'node:fs';

const LINE = /^Max open files +(\d+)/m;
/** File descriptors kept for the registry, logs, listeners and the rest of the program; at most a quarter. */
const RESERVE = 64;

/** How many file descriptors this process may have, on Linux; infinity where the system does not say. */
export function systemDescriptors(): number {
  try {
    const [, limit] = LINE.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What is left for traffic, for each of `shares` equal parts. */
export function descriptorShare(limit: number, shares: number): number {
  return Math.max(2, Math.floor((limit - Math.min(RESERVE, limit / 4)) / shares));
}
