import { usageError } from '../base/cli-error.ts';
import { type Arguments, listOption, textOption } from '../session/command.ts';

/** `host/path=service:port[,tls[=secret]]`; host and secret may be empty. */
const RULE = /^([\w*\-.]*)(\/.*)=([\w-]+):([\w-]+)(?:,(tls)=?([\w-]+)?)?$/;

interface Rule {
  readonly host: string;
  readonly path: object;
  readonly isSecured: boolean;
  readonly secret: string;
}

interface Tls {
  hosts?: string[];
  secretName?: string;
}

/** `create ingress NAME --rule=...`, as in kubectl: rules of one host are one rule, with its paths in order. */
export function ingressOf(given: Arguments) {
  const [, name, ...more] = given.words;
  if (name === undefined || more.length > 0) {
    throw usageError(`exactly one NAME is required, got ${given.words.length - 1}`);
  }
  const rules = listOption(given, 'rule').map(ruleOf);
  const annotations = Object.fromEntries(listOption(given, 'annotation').map(annotationOf));
  const fallback = textOption(given, 'default-backend');
  if (fallback === undefined && rules.length === 0) {
    throw usageError(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  }
  const className = textOption(given, 'class');
  const tls = tlsOf(rules);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...(fallback === undefined ? {} : { defaultBackend: fallbackOf(fallback) }),
      ...(tls.length === 0 ? {} : { tls }),
      ...(rules.length === 0 ? {} : { rules: rulesByHost(rules) }),
    },
  };
}

function ruleOf(text: string): Rule {
  const [, host = '', given = '', service = '', port = '', tls, secret = ''] =
    RULE.exec(text) ?? [];
  if (service === '') {
    throw usageError(
      `rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`,
    );
  }
  const isPrefix = given.endsWith('*');
  const path = {
    path: isPrefix ? given.slice(0, -1) : given,
    pathType: isPrefix ? 'Prefix' : 'Exact',
    backend: backendOf(service, port),
  };
  return { host, path, isSecured: tls !== undefined, secret };
}

function backendOf(name: string, port: string): object {
  return {
    service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
  };
}

function fallbackOf(text: string): object {
  const [name = '', port = '', ...more] = text.split(':');
  if (name !== '' && port !== '' && more.length === 0) return backendOf(name, port);
  throw usageError('default-backend should be in format servicename:serviceport');
}

function annotationOf(text: string): [key: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw usageError(`annotation ${text} is invalid and should be in format key=[value]`);
}

function rulesByHost(rules: readonly Rule[]): object[] {
  const byHost = Map.groupBy(rules, ({ host }) => host);
  return [...byHost].map(([host, own]) => ({
    ...(host === '' ? {} : { host }),
    http: { paths: own.map(({ path }) => path) },
  }));
}

/** The first secret of a host counts. Hosts of one secret are in one entry; all hosts without a host need no entry. */
function tlsOf(rules: readonly Rule[]): Tls[] {
  const entries = new Map<string, Tls>();
  const seen = new Set<string>();
  for (const { host, isSecured, secret } of rules) {
    if (!isSecured || seen.has(host)) continue;
    seen.add(host);
    if (host === '' && secret === '') continue;
    const entry = entries.get(secret) ?? {};
    entries.set(secret, entry);
    if (host !== '') entry.hosts = [...(entry.hosts ?? []), host];
    if (secret !== '') entry.secretName = secret;
  }
  return [...entries.values()];
}
