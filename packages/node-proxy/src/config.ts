import { isIPv4 } from 'node:net';
import { ConfigError, type OptionValues, programOptions, registryAccess } from '@rollcall/daemon';
import { OPTIONS } from './options.ts';

/** The proxy's configuration, checked and with every default. */
export type Config = OptionValues<typeof OPTIONS>;

/** Keeps the operators' port from being public by accident. */
function checked(config: Config): Config {
  const { metrics, insecureMetrics } = config;
  if (metrics !== undefined && !insecureMetrics && !isLoopback(metrics.host)) {
    const expected = 'expected a loopback address, or --insecure-metrics';
    throw new ConfigError(`--metrics: ${expected}, got ${JSON.stringify(metrics.host)}`);
  }
  registryAccess(config);
  return config;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

const HEAD = `rollcall-node-proxy: cluster IPs, node ports and external IPs of declared services, on this machine

  rollcall-node-proxy --registry http://127.0.0.1:7400   start, until SIGTERM or SIGINT
`;

export const { readConfig, helpText } = programOptions({
  head: HEAD,
  table: OPTIONS,
  check: checked,
});
