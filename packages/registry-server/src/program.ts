import { runProgram } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { startRegistryServer } from './compose.ts';
import { type Config, helpText, readConfig } from './config.ts';
import { schemeOf } from './store/driver.ts';
import { storeAddressOf } from './store/redis/store-address.ts';
import { StoreUnavailableError } from './store/store.ts';

/** Runs the registry server until it is stopped. `argv`: its command line. @default that of this process */
export function runRegistry(argv?: readonly string[]): Promise<void> {
  return runProgram(
    {
      name: 'rollcall-registry',
      main: import.meta.url,
      help: helpText,
      configure: readConfig,
      clock: systemClock,
      isTraced: true,
      isExpected: (error) => error instanceof StoreUnavailableError,
      async start(config, context) {
        const server = await startRegistryServer(config, context);
        return {
          started: { url: server.url, store: storeName(config) },
          close: () => server.close(),
        };
      },
    },
    argv,
  );
}

/** The address of the store, without user and password. What an address of another driver contains is unknown. */
function storeName({ store, storeDriver }: Config): string {
  if (storeDriver !== undefined) return `${schemeOf(store)} by ${storeDriver}`;
  if (store === 'memory' || store.startsWith('file:')) return store;
  const { kind, hosts } = storeAddressOf(store);
  return `${kind === 'single' ? 'redis' : kind} ${hosts.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
}
