import { readFileSync } from 'node:fs';

const LINE = /^Max open files +(\d+)/m;
/** Of the registry, upstreams, listeners and the admin port; at most a quarter. */
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

/**
 * TCP connections that each of `listeners` may hold: as many as wanted, if the process may open so many files. Room is
 * made among connections only before the system itself refuses them.
 */
export function connectionsWithin(wanted: number, listeners: number, descriptors: number): number {
  const rest = descriptors - Math.min(RESERVE, descriptors / 4);
  return Math.max(1, Math.min(wanted, Math.floor(rest / listeners)));
}
