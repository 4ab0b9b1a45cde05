import {
  ConfigError,
  EXIT,
  helpText,
  logLevelOption,
  passedSockets,
  type ProgramContext,
  readOptions,
  runProgram,
  type RunningProgram,
  spec,
  tellOf,
} from '@rollcall/daemon';
import { text as readText } from 'node:stream/consumers';
import { systemClock, systemRandom } from '@rollcall/runtime';
import { z } from 'zod';
import { type LoadedConfig, loadConfigFile, readConfigFile } from './config/config-file.ts';
import { ConfigFile } from './config/config-source.ts';
import { logWarnings } from './config/warning-log.ts';
import type { LoadBalancer } from './compose.ts';
import { explain } from './routing/explain.ts';
import { SUPERVISED_VARIABLE, type SupervisedStart } from './supervisor/messages.ts';
import { SupervisedSockets } from './supervisor/supervised-sockets.ts';
import { NotStarted, Supervisor } from './supervisor/supervisor.ts';

const HEAD = `rollcall-lb: an HTTP load balancer over the services of a Rollcall registry

  rollcall-lb --config FILE   start, until SIGTERM or SIGINT
  rollcall-lb --check FILE    only check the file: exit 0, or 2 with every error and its place; warns of rules that
                              can never match, and of certificates that fit no host
  rollcall-lb --explain URL --config FILE   which rule takes a request, and why no other
  rollcall-lb --hash-password NAME          reads a password, prints the line for a file of users

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
  explain: spec({
    flag: 'explain',
    value: 'URL',
    help: 'Says which rule of the configuration takes a request for this URL, and does not start.',
    schema: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' })
      .optional(),
  }),
  request: spec({
    flag: 'request',
    value: 'TEXT',
    help: 'With --explain: method and header fields of the request, such as "POST; x-beta: 1; cookie: a=b".',
    schema: z.string().default('GET'),
  }),
  source: spec({
    flag: 'source',
    value: 'ADDRESS',
    help: 'With --explain: address of the client.',
    schema: z.string().default('127.0.0.1'),
  }),
  hashPassword: spec({
    flag: 'hash-password',
    value: 'NAME',
    help: 'Reads a password from standard input, prints the line of a user of that name for a file of users.',
    schema: z
      .string()
      .regex(/^[^:]+$/, { error: 'expected a name without colon' })
      .optional(),
  }),
  logLevel: logLevelOption('ROLLCALL_LB_LOG_LEVEL'),
};

type Configured = {
  readonly logLevel: string;
  readonly loaded: LoadedConfig;
  readonly source: ConfigFile;
  /** Undefined: nobody owns its sockets for it. */
  readonly supervised: SupervisedStart | undefined;
};

/** Runs the load balancer until it is stopped. `argv`: its command line. @default that of this process */
export function runLoadBalancer(argv?: readonly string[]): Promise<void> {
  return runProgram<Configured>(
    {
      name: 'rollcall-lb',
      main: import.meta.url,
      help: () => helpText(HEAD, OPTIONS),
      clock: systemClock,
      isTraced: true,
      configure(words, environment) {
        const options = readOptions(OPTIONS, words, environment);
        const { config, check, logLevel, explain: url, hashPassword: user } = options;
        if (check !== undefined) {
          checkFile(check, environment);
          return undefined;
        }
        if (user !== undefined) {
          void printUser(user);
          return undefined;
        }
        if (config === undefined) throw new ConfigError('--config: missing, expected a FILE');
        if (url !== undefined) {
          const question = { ...parseRequest(options.request), url: new URL(url) };
          const lines = explain(readConfigFile(config, environment), {
            ...question,
            source: options.source,
          });
          process.stdout.write(`${lines.join('\n')}\n`);
          return undefined;
        }
        const supervised = supervisedStart(environment);
        const source = new ConfigFile(config, environment);
        return { logLevel, loaded: source.load(), source, supervised };
      },
      start: (configured, context) =>
        configured.loaded.config.workers !== undefined && configured.supervised === undefined
          ? startSupervisor(context)
          : startBalancer(configured, context),
    },
    argv,
  );
}

/** Warnings are for people, and do not change the exit code. */
function checkFile(file: string, environment: NodeJS.ProcessEnv): void {
  for (const warning of loadConfigFile(file, environment).warnings())
    process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(`${file}: ok\n`);
}

/** `METHOD; name: value; name: value` */
function parseRequest(text: string) {
  const [method = '', ...fields] = text.split(';').map((part) => part.trim());
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    if (colon < 1)
      throw new ConfigError(`--request: expected name: value, got ${JSON.stringify(field)}`);
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return { method: method.toUpperCase(), headers: Object.fromEntries(headers) };
}

async function printUser(name: string): Promise<void> {
  const password = (await readText(process.stdin)).replace(/\r?\n$/, '');
  const { hashPassword } = await import('./passwords/password-file.ts');
  process.stdout.write(`${name}:${await hashPassword(password)}\n`);
}

async function startBalancer(
  { loaded, source, logLevel, supervised }: Configured,
  { logger, supervisor, tracing, stop }: ProgramContext,
): Promise<RunningProgram> {
  const log = tellOf(logger);
  logWarnings(loaded.warnings(), log);
  const { promise: running, resolve: runs } = Promise.withResolvers<LoadBalancer>();
  const retire = async (): Promise<void> => {
    void (await running).retire();
    stop('renewed');
  };
  const socketSource =
    supervised === undefined
      ? undefined
      : new SupervisedSockets(process, {
          onReload: () => void running.then((balancer) => balancer.reload('SIGHUP')),
          onRetire: () => void retire(),
          onGone: () => stop('the supervisor is gone'),
        });
  const { startLoadBalancer } = await import('./compose.ts');
  const balancer = await startLoadBalancer(loaded.config, {
    log,
    logLevel,
    supervisor,
    tracing,
    source,
    sockets: supervised?.sockets ?? passedSockets(process.env, process.pid),
    socketSource,
    onServing: () => socketSource?.serving(),
    isSuccessor: supervised?.isSuccessor === true,
  });
  runs(balancer);
  return {
    started: { ...balancer.addresses },
    close: () => balancer.close(),
    reload: async () => void (await balancer.reload('SIGHUP')),
  };
}

/** Runs this program again as its child, which carries the requests in workers. */
async function startSupervisor({ logger }: ProgramContext): Promise<RunningProgram> {
  const [, script = '', ...words] = process.argv;
  const supervisor = new Supervisor({
    command: { script, words },
    passed: passedSockets(process.env, process.pid),
    clock: systemClock,
    random: systemRandom.share,
    log: tellOf(logger),
  });
  await supervisor.start().catch((error: unknown) => {
    // It has told why itself.
    if (error instanceof NotStarted) process.exit(error.end.code ?? EXIT.failed);
    throw error;
  });
  return {
    started: undefined,
    close: () => supervisor.close(),
    reload: async () => supervisor.reload(),
    renew: () => supervisor.renew(),
  };
}

function supervisedStart(environment: NodeJS.ProcessEnv): SupervisedStart | undefined {
  const given = environment[SUPERVISED_VARIABLE];
  delete environment[SUPERVISED_VARIABLE];
  return given === undefined ? undefined : (JSON.parse(given) as SupervisedStart);
}
