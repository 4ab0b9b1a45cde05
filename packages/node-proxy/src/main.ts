#!/usr/bin/env node
import { guardProcess, stackOf, stderrLog } from '@rollcall/daemon';
import { startNodeProxy } from './compose.ts';
import { type Config, ConfigError, helpText, readConfig } from './config.ts';
import { StartError } from './start-error.ts';

function fail(message: string): never {
  process.stderr.write(`rollcall-node-proxy: ${message}\n`);
  process.exit(1);
}

function configOf(argv: readonly string[]): Config {
  try {
    return readConfig(argv, process.env);
  } catch (error) {
    if (error instanceof ConfigError) return fail(`${error.message}\nTry --help.`);
    throw error;
  }
}

async function run(config: Config): Promise<void> {
  guardProcess(stderrLog('rollcall-node-proxy'));
  const starting = startNodeProxy(config).catch((error: unknown) => {
    return fail(error instanceof StartError ? error.message : stackOf(error));
  });
  let stopping: Promise<void> | undefined;
  const stop = async (signal: string): Promise<void> => {
    process.stderr.write(`rollcall-node-proxy: ${signal}: finishing what is under way\n`);
    await (await starting).close();
    process.exit(0);
  };
  // From the first moment on; and a terminal's Ctrl-C arrives twice when something in between passes it on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping ??= stop(signal).catch((error: unknown) => fail(stackOf(error)));
    });
  }
  const { admin, reporter, io } = await starting;
  process.stdout.write(
    `${JSON.stringify({ event: 'started', admin: admin ?? 'off', reporter, io })}\n`,
  );
}

const argv = process.argv.slice(2);
if (argv.includes('--help')) process.stdout.write(helpText());
else await run(configOf(argv));
