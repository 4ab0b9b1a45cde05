import {
  ConfigError,
  helpText,
  logLevelOption,
  passedSockets,
  readOptions,
  runProgram,
  spec,
  tellOf,
} from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { z } from 'zod';
import { startLoadBalancer } from './compose.ts';
import { readConfigFile } from './config/config-file.ts';
import { ConfigFile } from './config/config-source.ts';

const HEAD = `rollcall-lb: an HTTP load balancer over the services of a Rollcall registry

  rollcall-lb --config FILE   start, until SIGTERM or SIGINT
  rollcall-lb --check FILE    only check the file: exit 0, or 2 with every error and its place

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

/** Every option of the command line. */
export const OPTIONS = {
  config: spec({
    flag: 'config',
    env: 'ROLLCALL_LB_CONFIG',
    value: 'FILE',
    help: 'The configuration file.',
    schema: z.string().min(1, { error: 'expected a file' }).optional(),
  }),
  check: spec({
    flag: 'check',
    value: 'FILE',
    help: 'Check this configuration file, and do not start.',
    schema: z.string().min(1, { error: 'expected a file' }).optional(),
  }),
  logLevel: logLevelOption('ROLLCALL_LB_LOG_LEVEL'),
};

/** Runs the load balancer until it is stopped. `argv`: its command line. @default that of this process */
export function runLoadBalancer(argv?: readonly string[]): Promise<void> {
  return runProgram(
    {
      name: 'rollcall-lb',
      main: import.meta.url,
      help: () => helpText(HEAD, OPTIONS),
      clock: systemClock,
      isTraced: true,
      configure(words, environment) {
        const { config, check, logLevel } = readOptions(OPTIONS, words, environment);
        if (check !== undefined) {
          readConfigFile(check, environment);
          process.stdout.write(`${check}: ok\n`);
          return undefined;
        }
        if (config === undefined) throw new ConfigError('--config: missing, expected a FILE');
        const source = new ConfigFile(config, environment);
        return { logLevel, config: source.load().config, source };
      },
      async start({ config, source }, { logger, supervisor, tracing }) {
        const sockets = passedSockets(process.env, process.pid);
        const parts = { log: tellOf(logger), supervisor, sockets, tracing, source };
        const balancer = await startLoadBalancer(config, parts);
        return {
          started: { ...balancer.addresses },
          close: () => balancer.close(),
          reload: async () => void (await balancer.reload('SIGHUP')),
        };
      },
    },
    argv,
  );
}
