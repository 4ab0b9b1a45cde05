export {
  type RegistryOptions,
  type RegistryServer,
  type Runtime,
  startRegistryServer,
} from './compose.ts';
export { ConfigError } from '@rollcall/daemon';
export { type Config, helpText, readConfig } from './config.ts';
export { OPTIONS } from './options.ts';
export type { Clock, Timer } from '@rollcall/runtime';
export type { Random } from '@rollcall/runtime';
export type { Store } from './store/store.ts';
export { runRegistry } from './program.ts';
