#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { guardProcess, stackOf } from '@rollcall/daemon';
import { startRegistryServer } from './compose.ts';
import { supervisorOf } from './server-log.ts';
import { ConfigError, helpText, readConfig } from './config.ts';
import { createLogger } from './logging.ts';
import { storeAddressOf } from './store/redis/store-address.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };
const argv = process.argv.slice(2);

if (argv.includes('--help')) {
  process.stdout.write(helpText());
} else if (argv.includes('--version')) {
  process.stdout.write(`${version}\n`);
} else {
  await run();
}

/** Where the store is, without user and password. */
function storeName(store: string): string {
  if (store === 'memory' || store.startsWith('file:')) return store;
  const { kind, hosts } = storeAddressOf(store);
  return `${kind === 'single' ? 'redis' : kind} ${hosts.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
}

async function run(): Promise<void> {
  try {
    const config = readConfig(argv, process.env);
    const logger = createLogger(config.logLevel);
    const supervisor = supervisorOf({ logger });
    // The net below the loops: what nobody waits for is told and counted, and the roll is kept on.
    guardProcess({
      onFault: (error) => supervisor.note('unhandled', error),
      onHangup: (line) => logger.warn(line),
    });
    const starting = startRegistryServer(config, { logger, version, supervisor });
    // From the first moment on; and a terminal's Ctrl-C arrives twice when something in between passes it on.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        void starting
          .then((server) => server.close())
          .then(() => process.exit(0))
          .catch(fail);
      });
    }
    const { url } = await starting;
    logger.info({ url, store: storeName(config.store) }, 'listening');
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  const isWrongOption = error instanceof ConfigError;
  process.stderr.write(`rollcall-registry: ${isWrongOption ? error.message : stackOf(error)}\n`);
  process.exit(isWrongOption ? 2 : 1);
}
