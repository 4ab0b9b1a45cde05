import {
  ConfigError,
  EXIT,
  helpText,
  passedSockets,
  type ProgramContext,
  readOptions,
  runProgram,
  type RunningProgram,
  StartError,
  tellOf,
} from '@rollcall/daemon';
import { text as readText } from 'node:stream/consumers';
import { systemClock, systemRandom } from '@rollcall/runtime';
import { type LoadedConfig, loadConfigFile, readConfigFile } from './config/config-file.ts';
import { ConfigFile } from './config/config-source.ts';
import { AdminClient, adminUrlOf } from './commands/admin-client.ts';
import { visible } from './commands/visible.ts';
import { type OperatorCommand, operatorCommand } from './commands/operator-command.ts';
import { logWarnings, MOST_COMPARED } from './config/warning-log.ts';
import type { LoadBalancer } from './compose.ts';
import { HEAD, OPTIONS } from './options.ts';
import { explain } from './routing/explain.ts';
import { SUPERVISED_VARIABLE, type SupervisedStart } from './supervisor/messages.ts';
import { SupervisedSockets } from './supervisor/supervised-sockets.ts';
import { NotStarted, Supervisor } from './supervisor/supervisor.ts';

const DEFAULT_ADMIN = 'http://127.0.0.1:7480';

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
        const command = operatorCommand(options);
        if (command !== undefined) {
          void runCommand(command, adminOf(options, environment));
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

function adminOf(
  { admin, config }: { readonly admin?: string | undefined; readonly config?: string | undefined },
  environment: NodeJS.ProcessEnv,
): AdminClient {
  const url =
    admin ??
    (config === undefined ? DEFAULT_ADMIN : adminUrlOf(readConfigFile(config, environment)));
  return new AdminClient(url, systemClock);
}

async function runCommand(command: OperatorCommand, admin: AdminClient): Promise<void> {
  try {
    process.stdout.write(`${(await command(admin)).join('\n')}\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`rollcall-lb: ${visible(error.message)}\n`);
    process.exitCode = EXIT.failed;
  }
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
  logWarnings(loaded.warnings(MOST_COMPARED), log);
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
    operations: supervised?.operations,
    onOperations: (state) => socketSource?.keep(state),
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
