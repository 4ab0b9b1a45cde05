import type { Tell } from '@rollcall/daemon';

/** So many are logged one by one; a log is not the place for thousands. */
const MOST_SHOWN = 20;

/** With more rules in a listener, to compare them would hold requests up for too long. */
export const MOST_COMPARED = 2_000;

/** Logs what is allowed in a configuration, but probably not meant. */
export function logWarnings(warnings: readonly string[], log: Tell): void {
  for (const warning of warnings.slice(0, MOST_SHOWN)) log(warning, 'warn');
  const left = warnings.length - MOST_SHOWN;
  if (left > 0) log(`and ${left} more warnings about the configuration: --check shows all`, 'warn');
}
