export {
  type NodeProxy,
  type NodeProxyParts,
  type ReportPort,
  reporterOf,
  startNodeProxy,
} from './compose.ts';
export { ConfigError, StartError } from '@rollcall/daemon';
export { type Config, readConfig } from './config.ts';
