export {
  type NodeProxy,
  type NodeProxyParts,
  type ReportPort,
  reporterOf,
  startNodeProxy,
} from './compose.ts';
export { type Config, ConfigError, readConfig } from './config.ts';
export { StartError } from './start-error.ts';
