import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { Rollcall, type RollcallOptions } from '@rollcall/client-sdk';
import { type CliError, EXIT, usageError } from './base/cli-error.ts';
import { type Arguments, type Command, listOption, textOption } from './session/command.ts';
import { COMMANDS } from './commands/all.ts';
import type { Context } from './session/context.ts';
import { commandHelp, GLOBAL, programHelp } from './session/help.ts';
import { type Output, outputTo, type Sink } from './output/output.ts';
import { visibleText } from './output/untrusted.ts';
import { asCliError } from './session/refusal.ts';
import { systemClock, type Clock } from '@rollcall/runtime';

const DEFAULT_URL = 'http://127.0.0.1:7400';

/** External parts of the program. */
export interface ProgramParts {
  readonly out: Sink;
  readonly err: Sink;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  readonly readStdin: () => Promise<string>;
  readonly clock?: Clock;
  /** Version of this program. */
  readonly version: string;
}

/**
 * Runs one command line, without the program's name. Resolves with the exit code; never rejects for a user's mistake.
 */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  const { env } = parts;
  const [out, err] = [outputTo(parts.out), outputTo(parts.err)];
  let url = env['ROLLCALL_URL'] ?? DEFAULT_URL;
  try {
    if (argv[0] === '--version') {
      out.write(`${parts.version}\n`);
      return EXIT.ok;
    }
    const { command, given } = read(argv);
    if (command === undefined || given.options['help'] === true) {
      out.write(command === undefined ? programHelp(COMMANDS) : commandHelp(command));
      return EXIT.ok;
    }
    const named = listOption(given, 'registry');
    if (named.length > 0) url = named.join();
    const context = contextOf(given, url, { ...parts, out, err });
    try {
      return await command.run(context, given);
    } finally {
      await context.rollcall.close();
    }
  } catch (error) {
    return tell(asCliError(error, url), err);
  }
}

function tell({ message, exitCode }: CliError, err: Output): number {
  const text = visibleText(message);
  const shown = err.isDecorated
    ? text.replace(/^(error|Error from server)/, '\u001b[31m$1\u001b[0m')
    : text;
  err.pass(`${shown}\n`);
  return exitCode;
}

function read(argv: readonly string[]): { command: Command | undefined; given: Arguments } {
  const nobody = { words: [], rest: [], options: {} };
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const [first] = argv;
  if (
    first === undefined ||
    (at === -1 && argv.some((word) => ['-h', '--help'].includes(word))) ||
    first === 'help'
  ) {
    const named = first === 'help' && argv.length > 1 ? commandOf(argv[1]) : undefined;
    return { command: named, given: { ...nobody, options: { help: true } } };
  }
  // Global options may precede the command: its name is the first word that is not an option's value.
  const { positionals } = parse(argv, GLOBAL, false);
  const name = positionals[0];
  if (name === undefined) {
    parse(argv, GLOBAL, true);
    throw usageError('expected a command (--help lists them)');
  }
  const command = commandOf(name);
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const { values, positionals: words } = parse(own, { ...GLOBAL, ...command.options }, true);
  const rest = end === -1 ? [] : argv.slice(end + 1);
  return { command, given: { words: words.slice(1), rest, options: values } };
}

function commandOf(name: string | undefined): Command {
  const found = COMMANDS.find((one) => one.name === name || one.aliases?.includes(name ?? ''));
  if (found !== undefined) return found;
  throw usageError(`unknown command "${name ?? ''}" for "rollcall" (--help lists them)`);
}

type Parsed = { values: Arguments['options']; positionals: string[] };

function parse(argv: readonly string[], specs: Command['options'], isStrict: boolean): Parsed {
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(specs).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  );
  try {
    const config = { args: [...argv], options, strict: isStrict, allowPositionals: true };
    return parseArgs(config) as unknown as Parsed;
  } catch (error) {
    const [line = ''] = (error as Error).message.split('. ');
    throw usageError(
      `${line.replace(/^[A-Z]/, (letter) => letter.toLowerCase())} (--help shows the options)`,
    );
  }
}

function contextOf(
  given: Arguments,
  url: string,
  parts: Omit<ProgramParts, 'out' | 'err'> & Pick<Context, 'out' | 'err'>,
): Context {
  const { env, clock = systemClock, ...rest } = parts;
  const token = textOption(given, 'token') ?? env['ROLLCALL_TOKEN'];
  const namespace = textOption(given, 'namespace') ?? env['ROLLCALL_NAMESPACE'] ?? 'default';
  const rollcall = new Rollcall({
    url: url.split(/[,\s]+/).filter((one) => one !== ''),
    namespace,
    ...(token === undefined || token === '' ? {} : { token }),
    ...tlsOf(given, env),
    runtime: { warn: (message) => parts.err.write(`rollcall: ${message}\n`) },
  });
  return { ...rest, env, clock, rollcall, registryUrl: url, namespace };
}

/** TLS files for the registry, named by options or environment variables. */
function tlsOf(given: Arguments, env: NodeJS.ProcessEnv): Pick<RollcallOptions, 'ca' | 'connect'> {
  const readPem = (name: string, variable: string): string | undefined => {
    const file = textOption(given, name) ?? env[variable] ?? '';
    if (file === '') return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw usageError(`--${name}: expected a file in PEM: ${(error as Error).message}`);
    }
  };
  const ca = readPem('registry-ca', 'ROLLCALL_CA');
  const cert = readPem('registry-cert', 'ROLLCALL_CERT');
  const key = readPem('registry-key', 'ROLLCALL_KEY');
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError('--registry-cert and --registry-key: expected both or neither');
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { connect: { cert, key } }),
  };
}
