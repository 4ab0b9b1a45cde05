import { ConfigError, type OptionValues, programOptions, registryAccess } from '@rollcall/daemon';
import { OPTIONS } from './options.ts';

/** The server's validated configuration, with every default. */
export type Config = OptionValues<typeof OPTIONS>;

/** Checks that concern more than one option. */
function checked(config: Config): Config {
  const { forward, host, port } = config;
  const own = forward.find((upstream) => upstream.port === port && host.includes(upstream.host));
  if (own !== undefined) {
    throw new ConfigError(
      `--forward ${own.host}:${own.port}: expected another server, this is where this one listens`,
    );
  }
  registryAccess(config);
  return config;
}

const HEAD = `rollcall-dns: DNS names for the services of a Rollcall registry

  rollcall-dns --registry URL [options]   start, until SIGTERM or SIGINT

Try:

  rollcall-dns --registry http://127.0.0.1:7400 --port 8053
  dig @127.0.0.1 -p 8053 nginx.default.svc.cluster.local
  dig @127.0.0.1 -p 8053 nginx
  dig @127.0.0.1 -p 8053 SRV _http._tcp.nginx.default.svc.cluster.local

docs/dns.md has every name, and configurations for HAProxy, nginx, Prometheus and resolvers.
`;

export const { readConfig, helpText } = programOptions({
  head: HEAD,
  table: OPTIONS,
  check: checked,
});
