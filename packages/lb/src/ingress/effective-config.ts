import type { Config, ListenerConfig } from '../config/schema.ts';
import type { SecretCertificate } from '../tls/files/secret-certificate.ts';
import type { DeclaredRoutes } from './declared-routes.ts';

/** Until the Ingresses are known, nobody can say that there is nothing for a request. */
const NOT_KNOWN_YET = Object.freeze({
  status: 503,
  body: 'the routes of this listener are not known yet\n',
  contentType: 'text/plain; charset=utf-8',
});

/** Whether a listener of Ingresses needs certificates. */
export function usesSecrets({ ingress, listeners }: Config): boolean {
  return listeners.some(
    ({ name, tls }) => tls !== undefined && ingress?.listener.includes(name) === true,
  );
}

/**
 * The configuration that is in use: that of the file, and what Ingresses and HTTPRoutes add to it. `routes`:
 * undefined while they are not known yet. Rules of the file come first, so that of two for the same host and path they count.
 */
export function effectiveConfig(
  written: Config,
  routes: DeclaredRoutes | undefined,
  secrets: readonly SecretCertificate[],
): Config {
  const { ingress } = written;
  if (ingress === undefined) return written;
  const extend = (given: ListenerConfig): ListenerConfig => {
    if (!ingress.listener.includes(given.name)) return given;
    const tls = given.tls && { ...given.tls, ...(secrets.length === 0 ? {} : { secrets }) };
    const listener = tls === undefined ? given : { ...given, tls };
    if (routes !== undefined)
      return { ...listener, rules: [...listener.rules, ...routes.rulesFor(listener.name)] };
    return { ...listener, default: listener.default ?? { fixedResponse: NOT_KNOWN_YET } };
  };
  return {
    ...written,
    listeners: written.listeners.map(extend),
    targetGroups: { ...written.targetGroups, ...routes?.targetGroups },
  };
}
