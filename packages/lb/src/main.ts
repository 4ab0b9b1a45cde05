#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { guardProcess, stackOf, stderrLog } from '@rollcall/daemon';
import { StartError } from './start-error.ts';
import { startLoadBalancer } from './compose.ts';
import { readConfigFile } from './config/config-file.ts';
import { ConfigError } from './config/problem.ts';
import type { Config } from './config/schema.ts';

const HELP = `rollcall-lb: an HTTP load balancer over the services of a Rollcall registry

  rollcall-lb --config FILE   start, until SIGTERM or SIGINT
  rollcall-lb --check FILE    only check the file: exit 0, or 1 with every error and its place
  rollcall-lb --help

The smallest file:

  registry:
    url: http://127.0.0.1:7400
  listeners:
    - name: web
      port: 8080
      default: { targetGroup: hello }
  targetGroups:
    hello: { service: hello }

A value may name an environment variable: token: \${ROLLCALL_TOKEN}
All keys: packages/lb/README.md. The admin port (127.0.0.1:7480) answers /livez /readyz /metrics /targets /services.
`;

const options = {
  config: { type: 'string' },
  check: { type: 'string' },
  help: { type: 'boolean' },
} as const;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readArguments() {
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    return fail(`rollcall-lb: ${(error as Error).message}\n\n${HELP}`);
  }
}

function readConfig(file: string): Config {
  try {
    return readConfigFile(file, process.env);
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message);
    throw error;
  }
}

async function run(file: string): Promise<void> {
  const config = readConfig(file);
  guardProcess(stderrLog('rollcall-lb'));
  const starting = startLoadBalancer(config).catch((error: unknown) => {
    return fail(`rollcall-lb: ${error instanceof StartError ? error.message : stackOf(error)}`);
  });
  let stopping: Promise<void> | undefined;
  const stop = async (signal: string): Promise<void> => {
    process.stderr.write(`rollcall-lb: ${signal}: finishing what is under way\n`);
    await (await starting).close();
    process.exit(0);
  };
  // From the first moment on; and a terminal's Ctrl-C arrives twice when something in between passes it on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping ??= stop(signal).catch((error: unknown) => fail(`rollcall-lb: ${stackOf(error)}`));
    });
  }
  const { addresses } = await starting;
  process.stdout.write(`${JSON.stringify({ event: 'listening', ...addresses })}\n`);
}

const values = readArguments();
if (values.help === true) {
  process.stdout.write(HELP);
} else if (values.check !== undefined) {
  readConfig(values.check);
  process.stdout.write(`${values.check}: ok\n`);
} else if (values.config === undefined) {
  fail(`rollcall-lb: --config FILE is missing\n\n${HELP}`);
} else {
  await run(values.config);
}
