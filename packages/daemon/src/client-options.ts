import { clientWarnings, type Tell } from './log.ts';
import { registryAccess } from './options/registry-options.ts';

/** The part of a registry client that tells whether the registry answers. */
interface ConnectionSource {
  on(event: 'connected', listener: (url: string) => void): unknown;
  on(event: 'unreachable', listener: (error: Error) => void): unknown;
}

/** Logs each loss and each return of the registry once. `meanwhile`: what goes on without it. */
export function logConnection(client: ConnectionSource, log: Tell, meanwhile: string): void {
  client.on('connected', (url) => log(`the registry answers: ${url}`, 'info'));
  client.on('unreachable', ({ message }) =>
    log(`no registry answers: ${message}; ${meanwhile}`, 'warn'),
  );
}

/** A program's options for its registry client: how to reach the registry, and where to log problems. */
export function clientOptions(options: Parameters<typeof registryAccess>[0], log: Tell) {
  // A program ends when it is told to.
  const keepAlive = true;
  return { ...registryAccess(options), keepAlive, runtime: { warn: clientWarnings(log) } };
}
