export { type DnsServer, type DnsServerParts, startDnsServer } from './compose.ts';
export { type Config, ConfigError, readConfig } from './config/config.ts';
export { StartError } from './start-error.ts';
