import { clientWarnings, type Tell } from './log.ts';
import { registryAccess } from './options/registry-options.ts';

/** A program's options for its registry client: how to reach the registry, and where to log problems. */
export function clientOptions(options: Parameters<typeof registryAccess>[0], log: Tell) {
  return { ...registryAccess(options), runtime: { warn: clientWarnings(log) } };
}
