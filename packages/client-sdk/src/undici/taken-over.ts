import type { Dispatcher } from 'undici';

/** What undici 8 knows of a request, and what an older one does with the same meaning. */
const KNOWN = [
  'path',
  'method',
  'body',
  'headers',
  'query',
  'idempotent',
  'blocking',
  'upgrade',
  'headersTimeout',
  'bodyTimeout',
  'reset',
  'expectContinue',
  'servername',
  'typeOfService',
  'waitMs',
  // Refused by name unless it is 0: whoever asks for redirects is not left without them in silence.
  'maxRedirections',
] as const;

/** The options of a request that an older undici, or the `fetch` of Node.js, made: taken over by name. */
export function takenOver(given: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const named = given as unknown as Readonly<Record<string, unknown>>;
  const taken: Record<string, unknown> = {};
  for (const name of KNOWN) {
    const value = named[name];
    if (value !== undefined && value !== null) taken[name] = value;
  }
  return taken as unknown as Dispatcher.DispatchOptions;
}
