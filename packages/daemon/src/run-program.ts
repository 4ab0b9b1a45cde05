import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { openLog } from './log.ts';
import { ConfigError } from './options/read-options.ts';
import { guardProcess, stackOf } from './process-guard.ts';
import { StartError } from './start-error.ts';
import { loggingSupervisor } from './logging-supervisor.ts';
import type { Supervisor, SupervisorOptions } from './supervisor.ts';

/** How every program ends. */
export const EXIT = {
  ok: 0,
  /** It could not be started, or failed. */
  failed: 1,
  /** What was asked of it is wrong: an option, or a file that one names. */
  usage: 2,
} as const;

export interface ProgramContext {
  readonly logger: Logger;
  readonly version: string;
  /** Runs the background loops; what nobody caught is noted by it too. */
  readonly supervisor: Supervisor;
}

/** A program that is up. */
export interface RunningProgram {
  /** What is said of it when it is: where it listens. */
  readonly started: Readonly<Record<string, unknown>>;
  /** Lets what is under way end. */
  close(): Promise<void>;
}

export interface Program<Config extends { readonly logLevel: string }> {
  /** As in `rollcall-dns`. */
  readonly name: string;
  /** The program's main module, `import.meta.url`: its package says the version. */
  readonly main: string;
  readonly help: () => string;
  /** @throws ConfigError when what was asked is wrong. Undefined: it was done, and there is nothing to run. */
  readonly configure: (
    argv: readonly string[],
    environment: NodeJS.ProcessEnv,
  ) => Config | undefined;
  readonly clock: SupervisorOptions['clock'];
  /** Whether loops may fail so. @default never */
  readonly isExpected?: SupervisorOptions['isExpected'];
  /** @throws StartError when the outside does not allow it. */
  readonly start: (config: Config, context: ProgramContext) => Promise<RunningProgram>;
}

/**
 * Runs a program from its command line to its end: `--help`, `--version`, options, the log, signals and exit codes are the
 * same for all. SIGTERM and SIGINT let it finish.
 */
export async function runProgram<Config extends { readonly logLevel: string }>(
  program: Program<Config>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
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
  // The net below the loops: what nobody waits for is told and counted, and the program goes on.
  guardProcess({
    onFault: (error) => supervisor.note('unhandled', error),
    onHangup: (line) => logger.warn(line),
  });
  const starting = program.start(config, { logger, version, supervisor });
  let stopping: Promise<void> | undefined;
  const stop = async (signal: string): Promise<void> => {
    const running = await starting;
    logger.info({ signal }, 'stopping: what is under way is finished');
    await running.close();
    process.exit(EXIT.ok);
  };
  // From the first moment on; and a terminal's Ctrl-C arrives twice when something in between passes it on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping ??= stop(signal).catch(fail);
    });
  }
  const { started } = await starting;
  logger.info(started, 'listening');
}

function versionOf(main: string): string {
  const text = readFileSync(new URL('../package.json', main), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What a user can mend in words, a fault of the program with its stack. */
function reasonOf(error: unknown): string {
  const isTheirs = error instanceof ConfigError || error instanceof StartError;
  return isTheirs ? error.message : stackOf(error);
}
