#!/usr/bin/env node
import { guardProcess, stackOf, stderrLog } from '@rollcall/daemon';
import { startDnsServer } from './compose.ts';
import { type Config, ConfigError, helpText, readConfig } from './config/config.ts';
import { StartError } from './start-error.ts';

function fail(message: string, code: number): never {
  process.stderr.write(`rollcall-dns: ${message}\n`);
  process.exit(code);
}

function readArguments(argv: readonly string[]): Config {
  try {
    return readConfig(argv, process.env);
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message, 2);
    throw error;
  }
}

async function run(config: Config): Promise<void> {
  guardProcess(stderrLog('rollcall-dns'));
  const starting = startDnsServer(config).catch((error: unknown) => {
    return fail(error instanceof StartError ? error.message : stackOf(error), 1);
  });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await (await starting).close();
    process.exit(0);
  };
  // From the first moment on; and a terminal's Ctrl-C arrives twice when something in between passes it on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping ??= stop().catch((error: unknown) => fail(stackOf(error), 1));
    });
  }
  const { addresses, admin } = await starting;
  const listening = addresses.map(({ host, port }) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  );
  process.stdout.write(
    `${JSON.stringify({ event: 'listening', dns: listening, zone: config.zone, admin: admin ?? null })}\n`,
  );
}

const argv = process.argv.slice(2);
if (argv.includes('--help')) process.stdout.write(helpText());
else await run(readArguments(argv));
