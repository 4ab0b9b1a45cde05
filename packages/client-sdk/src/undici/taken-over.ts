import type { Dispatcher } from 'undici';

/** Request options of undici 8 that older versions use with the same meaning. */
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
  // Undici refuses it by name unless it is 0: a caller that asks for redirects gets an error instead of silently none.
  'maxRedirections',
] as const;

/** Copies, by name, the options of a request made by an older undici or by the `fetch` of Node.js. */
export function takenOver(given: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const named = given as unknown as Readonly<Record<string, unknown>>;
  const taken: Record<string, unknown> = {};
  for (const name of KNOWN) {
    const value = named[name];
    if (value !== undefined && value !== null) taken[name] = value;
  }
  return taken as unknown as Dispatcher.DispatchOptions;
}
