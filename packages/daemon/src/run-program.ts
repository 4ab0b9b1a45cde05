import type { Clock } from '@rollcall/runtime';
import type { Logger } from 'pino';
import { openLog } from './log.ts';
import { ConfigError } from './options/read-options.ts';
import { versionOf } from './package-version.ts';
import { guardProcess, stackOf } from './process-guard.ts';
import { StartError } from './start-error.ts';
import { loggingSupervisor } from './logging-supervisor.ts';
import type { Supervisor, SupervisorOptions } from './supervisor.ts';
import { type OpenTracing, openTracing } from './tracing/open-tracing.ts';
import type { Tracing } from './tracing/tracing.ts';

/** The exit codes of every program. */
export const EXIT = {
  ok: 0,
  /** It could not start, or it failed. */
  failed: 1,
  /** Wrong usage: an option, or a file that an option names. */
  usage: 2,
} as const;

/**
 * The Node.js that a program needs. The `engines` of the packages ask for less where a library of them also runs inside
 * other people's processes, such as the registry server in their tests.
 */
const NEEDED_NODE = 24;

/**
 * A signal that comes again after this long is from somebody who does not want to wait, in s. A terminal's Ctrl-C may
 * arrive twice at once, when a parent process forwards it.
 */
const IMPATIENCE_S = 2;

export interface ProgramContext {
  readonly logger: Logger;
  readonly version: string;
  /** Runs the background loops, and records uncaught faults. */
  readonly supervisor: Supervisor;
  /** Undefined while traces are off, and for programs that make none. */
  readonly tracing: Tracing | undefined;
  /** Ends the program as SIGTERM does. `why`: for the log. */
  readonly stop: (why: string) => void;
}

/** A started program. */
export interface RunningProgram {
  /** Fields of the log line after the start, such as the address. Undefined: there is no such line. */
  readonly started: Readonly<Record<string, unknown>> | undefined;
  /** Lets requests and connections under way finish, and ends. */
  close(): Promise<void>;
  /** Reads its configuration again, on SIGHUP; logs the outcome itself. Absent: options are read at start only. */
  reload?(): Promise<void>;
  /** Replaces the code that runs by what is installed now, on SIGUSR2; logs the outcome itself. */
  renew?(): Promise<void>;
}

export interface Program<Config extends { readonly logLevel: string }> {
  /** For example `rollcall-dns`. */
  readonly name: string;
  /** `import.meta.url` of the program's main module; the version comes from its package. */
  readonly main: string;
  readonly help: () => string;
  /** @throws ConfigError for wrong usage. Undefined = done already, there is nothing to run. */
  readonly configure: (
    argv: readonly string[],
    environment: NodeJS.ProcessEnv,
  ) => Config | undefined;
  readonly clock: Pick<Clock, 'after' | 'every'>;
  /** Whether a loop may fail with this error. @default never */
  readonly isExpected?: SupervisorOptions['isExpected'];
  /** Whether it makes spans, if the environment asks for them. @default false */
  readonly isTraced?: boolean;
  /** Its parent ends it: signals, which a terminal sends to all, are for the parent alone. @default false */
  readonly endsWithParent?: boolean;
  /** @throws StartError when the system does not allow the start. */
  readonly start: (config: Config, context: ProgramContext) => Promise<RunningProgram>;
}

/**
 * Runs a program from its command line to its end. `--help`, `--version`, options, log, signals and exit codes are the
 * same for all programs. On SIGTERM and SIGINT it finishes what is under way.
 */
export async function runProgram<Config extends { readonly logLevel: string }>(
  program: Program<Config>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const tooOld = tooOldFor(process.versions.node);
  if (tooOld !== undefined) {
    process.stderr.write(`${program.name}: ${tooOld}\n`);
    process.exit(EXIT.failed);
  }
  const version = versionOf(program.main);
  if (argv.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(program.help());
    return;
  }
  if (argv.includes('--version')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const fail = (error: unknown): never => {
    process.stderr.write(`${program.name}: ${reasonOf(error)}\n`);
    process.exit(error instanceof ConfigError ? EXIT.usage : EXIT.failed);
  };
  try {
    const config = program.configure(argv, process.env);
    if (config !== undefined) await run(program, { config, version, fail });
  } catch (error) {
    fail(error);
  }
}

/** What is wrong with this Node.js; undefined = nothing. */
function tooOldFor(version: string): string | undefined {
  const major = Number(version.split('.')[0]);
  return major >= NEEDED_NODE
    ? undefined
    : `Node.js ${NEEDED_NODE} or later is needed, this is ${version}`;
}

interface Run<Config> {
  readonly config: Config;
  readonly version: string;
  readonly fail: (error: unknown) => never;
}

async function run<Config extends { readonly logLevel: string }>(
  program: Program<Config>,
  { config, version, fail }: Run<Config>,
): Promise<void> {
  const logger = await openLog(config.logLevel);
  const { clock, isExpected } = program;
  const supervisor = loggingSupervisor({ clock, logger, isExpected });
  // Safety net below the loops: an uncaught fault is logged and counted, and the program goes on.
  guardProcess({
    onFault: (error) => supervisor.report('unhandled', error),
    // Also while starting: what changed meanwhile is read then.
    onHangup: () => void starting.then(hangUp, () => {}),
  });
  let tracing: OpenTracing | undefined;
  const start = async () => {
    const { name, isTraced = false } = program;
    const environment = process.env;
    if (isTraced) tracing = await openTracing({ name, version, environment, logger, clock });
    return program.start(config, { logger, version, supervisor, tracing, stop });
  };
  const hangUp = (running: RunningProgram) => {
    if (running.reload === undefined)
      logger.warn('SIGHUP: ignored; options are read at start only');
    else void supervisor.run('reload', () => running.reload?.());
  };
  const renew = (running: RunningProgram) => {
    if (running.renew === undefined)
      logger.warn('SIGUSR2: ignored; this program has to be restarted');
    else void supervisor.run('renew', () => running.renew?.());
  };
  let stopping: Promise<void> | undefined;
  const end = async (signal: string): Promise<void> => {
    const running = await starting;
    const { endsWithParent = false } = program;
    const words = 'stopping: work in progress is finished first';
    logger[endsWithParent ? 'debug' : 'info']({ signal }, words);
    await running.close();
    await tracing?.close();
    process.exit(EXIT.ok);
  };
  const stop = (why: string): void => {
    stopping ??= end(why).catch(fail);
  };
  // Handled even while starting.
  if (program.endsWithParent === true) ignoreSignals();
  else {
    endOnSignals(logger, stop);
    process.on('SIGUSR2', () => void starting.then(renew, () => {}));
  }
  const starting = start();
  const { started } = await starting;
  if (started !== undefined) logger.info(started, 'listening');
}

function endOnSignals(logger: Logger, stop: (signal: string) => void): void {
  let askedAtS: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      askedAtS ??= process.uptime();
      if (process.uptime() - askedAtS > IMPATIENCE_S) {
        logger.warn({ signal }, 'asked again: ended at once');
        process.exit(EXIT.failed);
      }
      stop(signal);
    });
  }
}

function ignoreSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2'] as const) process.on(signal, () => {});
}

/** The message of an error that the user can fix; the stack of a fault of the program. */
function reasonOf(error: unknown): string {
  const isTheirs = error instanceof ConfigError || error instanceof StartError;
  return isTheirs ? error.message : stackOf(error);
}
