/** Where a Redis is and how it is reached. */
export interface StoreAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The name of the primary in Sentinel; empty otherwise. */
  readonly master: string;
  readonly db: number;
}

const URL_FORM =
  /^(rediss?)(-sentinel|-cluster)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)((?:\/[^/?#]*){0,2})$/;
const HOST_FORM = /^(\[[0-9a-f:]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/i;
const DEFAULT_PORTS = { single: 6_379, sentinel: 26_379, cluster: 6_379 };

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `redis-sentinel://HOST,HOST/MASTER[/db]` or
 * `redis-cluster://HOST,HOST`; `rediss` for TLS. Throws a TypeError for anything else.
 */
export function storeAddressOf(url: string): StoreAddress {
  const found = URL_FORM.exec(url);
  if (found === null) throw wrong();
  const [, scheme, suffix, username, password, hosts = '', path = ''] = found;
  const kind = suffix === '-sentinel' ? 'sentinel' : suffix === '-cluster' ? 'cluster' : 'single';
  const parts = path.split('/').slice(1);
  const master = kind === 'sentinel' ? (parts.shift() ?? '') : '';
  const [db = ''] = parts;
  const list = hosts.split(',').map((host) => hostOf(host, DEFAULT_PORTS[kind]));
  const isWrong =
    (kind === 'single' && list.length > 1) ||
    (kind === 'sentinel' && master === '') ||
    (kind === 'cluster' && path !== '' && path !== '/') ||
    parts.length > 1 ||
    !/^\d{0,4}$/.test(db);
  if (isWrong) throw wrong();
  return {
    kind,
    tls: scheme === 'rediss',
    hosts: list,
    username: decoded(username),
    password: decoded(password),
    master: decodeURIComponent(master),
    db: Number(db),
  };
}

function hostOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, host, port] = HOST_FORM.exec(text) ?? [];
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) throw wrong();
  return {
    host: host.replaceAll(/^\[|\]$/g, ''),
    port: port === undefined ? defaultPort : Number(port),
  };
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : decodeURIComponent(text);
}

/** The message leaves out the URL: it may contain a password. */
function wrong(): TypeError {
  return new TypeError(
    'expected redis://[user:password@]host:port[/number], redis-sentinel://host:port,.../NAME or redis-cluster://host:port,...; rediss for TLS',
  );
}
