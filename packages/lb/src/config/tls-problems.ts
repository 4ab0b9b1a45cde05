import { isMapping, listAt, type Mapping, mappingsAt } from './mapping.ts';
import { type ConfigProblem, valueAt } from './problem.ts';

type Path = readonly PropertyKey[];

/** Values of TLS that do not go together. */
export function tlsProblems(data: unknown): ConfigProblem[] {
  return [...listenerProblems(data), ...redirectProblems(data), ...targetProblems(data)];
}

function listenerProblems(data: unknown): ConfigProblem[] {
  const routed = [valueAt(data, ['ingress', 'listener'])].flat();
  return listAt(data, ['listeners']).flatMap(({ name, protocol = 'http', tls }, index) => {
    const path = ['listeners', index];
    if (protocol === 'https' && tls === undefined) {
      return [problem(path, 'tls', 'missing, expected certificates for an https listener')];
    }
    if (protocol === 'http' && tls !== undefined) {
      return [problem(path, 'tls', 'of no use, got protocol http, expected protocol: https')];
    }
    if (!isMapping(tls)) return [];
    const problems = clientProblems(tls, [...path, 'tls']);
    const isEmpty = Array.isArray(tls['certificates']) && tls['certificates'].length === 0;
    if (isEmpty && !routed.includes(name)) {
      const message =
        'bad value, got [], expected at least one certificate, or Secrets of Ingresses: ingress.listener';
      problems.push({ path: [...path, 'tls', 'certificates'], at: 'value', message });
    }
    return problems;
  });
}

function clientProblems({ verifyClient = 'none', clientCa }: Mapping, path: Path): ConfigProblem[] {
  if (verifyClient !== 'none' && clientCa === undefined) {
    return [problem(path, 'clientCa', 'missing, expected a file that verifies the clients')];
  }
  if (verifyClient === 'none' && clientCa !== undefined) {
    const message = 'of no use, got verifyClient none, expected optional or require';
    return [problem(path, 'clientCa', message)];
  }
  return [];
}

function redirectProblems(data: unknown): ConfigProblem[] {
  const listeners = listAt(data, ['listeners']);
  const isAmbiguous = httpsPort(listeners.map(portAndProtocol)) === undefined;
  return listeners.flatMap((listener, index) => {
    const path = ['listeners', index];
    const rules = listAt(listener, ['rules']).map(
      (rule, at) => [[...path, 'rules', at], rule] as const,
    );
    const actions = [...rules, [[...path, 'default'], listener['default']] as const];
    return actions.flatMap(([at, action]) => {
      if (!isMapping(action) || action['redirect'] === undefined) return [];
      const { redirect } = action;
      if (listener['protocol'] === 'https' && leadsBack(redirect)) {
        return [problem(at, 'redirect', 'leads back here, expected it on an http listener only')];
      }
      if (!isAmbiguous || !needsPort(redirect)) return [];
      const message = 'several https listeners, got no port, expected redirect: { port: ... }';
      return [problem(at, 'redirect', message)];
    });
  });
}

/** Nothing changes but the scheme, which is https already. */
function leadsBack(redirect: unknown): boolean {
  if (!isMapping(redirect)) return redirect === 'https';
  const { scheme, host, port, path, prefix, query } = redirect;
  return scheme !== 'http' && [host, port, path, prefix, query].every((one) => one === undefined);
}

/** Whether it redirects to https without naming the port. */
function needsPort(redirect: unknown): boolean {
  if (!isMapping(redirect)) return true;
  return redirect['scheme'] === 'https' && redirect['port'] === undefined;
}

function portAndProtocol({ port, protocol }: Mapping) {
  return { port: typeof port === 'number' ? port : 0, protocol: String(protocol) };
}

/**
 * The port to which clients are sent: that of the only https listener, else 443. Undefined: several listeners, none of
 * which has 443.
 */
export function httpsPort(
  listeners: readonly { readonly port: number; readonly protocol: string }[],
): number | undefined {
  const ports = new Set(
    listeners.filter(({ protocol }) => protocol === 'https').map(({ port }) => port),
  );
  const [only] = ports;
  if (ports.size === 1) return only;
  return ports.size === 0 || ports.has(443) ? 443 : undefined;
}

function targetProblems(data: unknown): ConfigProblem[] {
  return mappingsAt(data, ['targetGroups']).flatMap(([name, { scheme = 'http', tls }]) => {
    const path = ['targetGroups', name];
    if (!isMapping(tls)) return [];
    if (scheme === 'http') {
      return [problem(path, 'tls', 'of no use, got scheme http, expected scheme: https')];
    }
    if ((tls['cert'] === undefined) === (tls['key'] === undefined)) return [];
    return [problem(path, 'tls', 'bad value, one of cert and key, expected both or neither')];
  });
}

function problem(path: Path, key: string, message: string): ConfigProblem {
  return { path: [...path, key], at: 'key', message };
}
