import type { Dispatcher } from 'undici';
import { type ParsedSettings, SETTING_NAMES } from '../api/call-settings.ts';
import type { ServiceRequestOptions } from '../api/service.ts';
import { RollcallError } from '../base/error.ts';
import { unknownOptionError } from '../base/parse-options.ts';
import { type CallRules, parseSettings, rulesOf, withRules } from '../calls/call-rules.ts';

const OWN: ReadonlySet<string> = new Set(SETTING_NAMES);

/** What undici knows; the last ones it refuses itself, or overwrites. */
const UNDICIS: ReadonlySet<string> = new Set([
  'path',
  'method',
  'body',
  'headers',
  'query',
  'signal',
  'opaque',
  'onInfo',
  'responseHeaders',
  'highWaterMark',
  'headersTimeout',
  'bodyTimeout',
  'blocking',
  'upgrade',
  'reset',
  'expectContinue',
  'servername',
  'typeOfService',
  'origin',
  'maxRedirections',
  'throwOnError',
]);

/**
 * The options of a request as its dispatcher takes them, with its rules if it has any. Throws a {@link RollcallError}
 * that names a wrong option, or a url in place of a path.
 */
export function requestOf(
  given: ServiceRequestOptions,
  { label, rules: base }: { readonly label: string; readonly rules: CallRules | undefined },
): Dispatcher.RequestOptions {
  // As a path, it would be sent to an instance, which is not a proxy.
  if (/^https?:/i.test(given.path)) throw notAPath(given.path, label);
  const settings = settingsIn(given);
  const rules = settings === undefined ? base : rulesOf(base, settings);
  // The body may be a function here, which only this package's own dispatcher supports.
  return withRules({ method: 'GET', ...given } as Dispatcher.RequestOptions, rules);
}

function settingsIn(given: ServiceRequestOptions): ParsedSettings | undefined {
  let own: Record<string, unknown> | undefined;
  for (const name in given) {
    if (OWN.has(name)) (own ??= {})[name] = given[name as keyof ServiceRequestOptions];
    else if (!UNDICIS.has(name)) throw unknownOptionError(name, [...OWN, ...UNDICIS]);
  }
  return own === undefined ? undefined : parseSettings(own);
}

function notAPath(url: string, label: string): RollcallError {
  const host = URL.parse(url)?.origin ?? 'another host';
  const message = `request of service ${label} got a url of ${host}: expected a path`;
  return new RollcallError('invalid_host', message);
}
