export { type DnsServer, type DnsServerParts, startDnsServer } from './compose.ts';
export { ConfigError, StartError } from '@rollcall/daemon';
export { type Config, readConfig } from './config/config.ts';
export { runDnsServer } from './program.ts';
export { OPTIONS } from './config/options.ts';
