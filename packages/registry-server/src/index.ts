export { type RegistryServer, type Runtime, startRegistryServer } from './compose.ts';
export { type Config, ConfigError, helpText, OPTIONS, readConfig } from './config.ts';
export type { Clock, Timer } from './runtime/clock.ts';
export type { Random } from './runtime/random.ts';
export type { Store } from './store/store.ts';
