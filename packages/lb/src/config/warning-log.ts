import type { Tell } from '@rollcall/daemon';

/** Maximum number of warnings that are logged one by one: a log is no place for thousands. */
const MOST_SHOWN = 20;

/** Maximum number of rules in a listener that are compared while it serves: with more, requests would wait too long. */
export const MOST_COMPARED = 2_000;

/** Logs what is allowed in a configuration, but probably not meant. */
export function logWarnings(warnings: readonly string[], log: Tell): void {
  for (const warning of warnings.slice(0, MOST_SHOWN)) log(warning, 'warn');
  const left = warnings.length - MOST_SHOWN;
  if (left > 0) log(`and ${left} more warnings about the configuration: --check shows all`, 'warn');
}
