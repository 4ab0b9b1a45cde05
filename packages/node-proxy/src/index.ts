export { type NodeProxy, type NodeProxyParts, startNodeProxy } from './compose.ts';
export { type ReportPort, reporterOf } from '@rollcall/service-plane';
export { ConfigError, StartError } from '@rollcall/daemon';
export { type Config, readConfig } from './config.ts';
export { runNodeProxy } from './program.ts';
export { OPTIONS } from './options.ts';
