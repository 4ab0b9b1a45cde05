#!/usr/bin/env node
import { runProgram } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { startRegistryServer } from './compose.ts';
import { type Config, helpText, readConfig } from './config.ts';
import { schemeOf } from './store/driver.ts';
import { storeAddressOf } from './store/redis/store-address.ts';
import { StoreUnavailableError } from './store/store.ts';

await runProgram({
  name: 'rollcall-registry',
  main: import.meta.url,
  help: helpText,
  configure: readConfig,
  clock: systemClock,
  isExpected: (error) => error instanceof StoreUnavailableError,
  async start(config, context) {
    const server = await startRegistryServer(config, context);
    return {
      started: { url: server.url, store: storeName(config) },
      close: () => server.close(),
    };
  },
});

/** The address of the store, without user and password. What an address of another driver contains is unknown. */
function storeName({ store, storeDriver }: Config): string {
  if (storeDriver !== undefined) return `${schemeOf(store)} by ${storeDriver}`;
  if (store === 'memory' || store.startsWith('file:')) return store;
  const { kind, hosts } = storeAddressOf(store);
  return `${kind === 'single' ? 'redis' : kind} ${hosts.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
}
