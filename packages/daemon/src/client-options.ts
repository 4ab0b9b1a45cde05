import { clientWarnings, type Tell } from './log.ts';
import { registryAccess } from './options/registry-options.ts';

/** What a program gives its client of the registry: how to ask it, and where to say what goes wrong. */
export function clientOptions(options: Parameters<typeof registryAccess>[0], log: Tell) {
  return { ...registryAccess(options), runtime: { warn: clientWarnings(log) } };
}
