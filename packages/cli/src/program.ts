import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Rollcall } from '@rollcall/client-sdk';
import { RegistrationClient, type RollcallOptions } from '@rollcall/client-sdk/registration';
import { type CliError, EXIT, usageError } from './base/cli-error.ts';
import { type Arguments, type Command, listOption, textOption } from './session/command.ts';
import { allCommands, COMMAND_NAMES, commandNamed } from './commands/all.ts';
import { insteadOf } from './commands/instead.ts';
import { didYouMean } from './base/did-you-mean.ts';
import type { Context } from './session/context.ts';
import { commandHelp, GLOBAL, type OtherProgram, programHelp } from './session/help.ts';
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
  /** Called before a command that may run for days. @default nothing */
  readonly beforeLongRun?: () => void;
  readonly clock?: Clock;
  /** Version of this program. */
  readonly version: string;
  /** Programs that the same command starts, for the help text. @default none */
  readonly programs?: readonly OtherProgram[];
}

/**
 * Runs one command line, without the program's name. Resolves with the exit code; never rejects for a user's mistake.
 */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  const [out, err] = [outputTo(parts.out), outputTo(parts.err)];
  const own = { ...parts, out, err };
  const [first] = argv;
  const fromEnv = parts.env['ROLLCALL_URL']?.trim();
  let url = fromEnv === undefined || fromEnv === '' ? DEFAULT_URL : fromEnv;
  try {
    if (first === '--version') {
      out.write(`${parts.version}\n`);
      return EXIT.ok;
    }
    // The scripts of `completion` call this.
    if (first === '__complete') return await complete(argv.slice(1), url, own);
    const { command, given } = await read(argv, parts.programs);
    if (command === undefined || given.options['help'] === true) {
      out.write(
        command === undefined
          ? programHelp(await allCommands(), parts.programs)
          : commandHelp(command),
      );
      return EXIT.ok;
    }
    if (command.isLongRunning === true) parts.beforeLongRun?.();
    const named = listOption(given, 'registry');
    if (named.length > 0) url = named.join();
    checkUrls(url, named.length > 0 ? '--registry' : 'ROLLCALL_URL');
    return await withContext(contextOf(given, url, own), (context) => command.run(context, given));
  } catch (error) {
    return tell(asCliError(error, url), err);
  }
}

async function withContext<T>(
  { context, close }: OpenContext,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  try {
    return await work(context);
  } finally {
    await close();
  }
}

/** Prints how the last word could go on, one candidate a line. */
async function complete(
  words: readonly string[],
  url: string,
  parts: ContextParts & Pick<ProgramParts, 'programs'>,
): Promise<number> {
  const { values: options } = parse(words, GLOBAL, false);
  const given: Arguments = { words: [], rest: [], options };
  const named = listOption(given, 'registry');
  const { programs = [] } = parts;
  const { candidatesOf } = await import('./completion/candidates.ts');
  const found = await withContext(contextOf(given, named.join() || url, parts), (context) =>
    candidatesOf(words, { commandNames: COMMAND_NAMES, commandNamed, programs, context }),
  );
  parts.out.write(found.map((one) => `${one}\n`).join(''));
  return EXIT.ok;
}

function tell({ message, exitCode }: CliError, err: Output): number {
  const text = visibleText(message);
  const shown = err.isDecorated
    ? text.replace(/^(error|Error from server)/, '\u001b[31m$1\u001b[0m')
    : text;
  err.pass(`${shown}\n`);
  return exitCode;
}

async function read(
  argv: readonly string[],
  programs: ProgramParts['programs'],
): Promise<{ command: Command | undefined; given: Arguments }> {
  const nobody = { words: [], rest: [], options: {} };
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const [first] = argv;
  if (
    first === undefined ||
    (at === -1 && argv.some((word) => ['-h', '--help'].includes(word))) ||
    first === 'help'
  ) {
    const named =
      first === 'help' && argv.length > 1 ? await commandOf(argv[1], programs) : undefined;
    return { command: named, given: { ...nobody, options: { help: true } } };
  }
  // Global options may precede the command: its name is the first word that is not an option's value.
  const { positionals } = parse(argv, GLOBAL, false);
  const name = positionals[0];
  if (name === undefined) {
    parse(argv, GLOBAL, true);
    throw usageError('expected a command (--help lists them)');
  }
  const command = await commandOf(name, programs);
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const { values, positionals: words } = parse(own, { ...GLOBAL, ...command.options }, true);
  const rest = end === -1 ? [] : argv.slice(end + 1);
  return { command, given: { words: words.slice(1), rest, options: values } };
}

async function commandOf(name = '', programs: readonly OtherProgram[] = []): Promise<Command> {
  const found = await commandNamed(name);
  if (found !== undefined) return found;
  if (programs.some((one) => one.name === name)) {
    throw usageError(`${name} has options of its own, after its name: rollcall ${name} --help`);
  }
  const unknown = `unknown command "${name}" for "rollcall"`;
  const instead = insteadOf(name);
  if (instead !== undefined) throw usageError(`${unknown}: ${instead}`);
  const hint = didYouMean(name, [...COMMAND_NAMES, ...programs.map((one) => one.name)]);
  throw usageError(`${unknown}${hint === '' ? ' (--help lists them)' : hint}`);
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
    const [, unknown = ''] = /^Unknown option '--([^']*)'/.exec(line) ?? [];
    const hint = didYouMean(unknown, Object.keys(specs)).replace('\t', '\t--');
    const end = hint === '' ? ' (--help shows the options)' : hint;
    throw usageError(`${line.replace(/^[A-Z]/, (letter) => letter.toLowerCase())}${end}`);
  }
}

/** The SDK would name its own option. */
function checkUrls(urls: string, source: string): void {
  for (const url of urlsOf(urls)) {
    const isHttp = /^https?:$/.test(URL.parse(url)?.protocol ?? '');
    if (isHttp) continue;
    const example = /^[^:/]+:\d+\/?$/.test(url) ? `http://${url}` : DEFAULT_URL;
    // Another program's address may contain a password.
    const shown = url.replace(/\/\/[^/]*@/, '//***@');
    throw usageError(`${source}: expected a URL such as ${example}, got "${shown}"`);
  }
}

const urlsOf = (urls: string) => urls.split(/[,\s]+/).filter((one) => one !== '');

type ContextParts = Omit<ProgramParts, 'out' | 'err'> & Pick<Context, 'out' | 'err'>;

interface OpenContext {
  readonly context: Context;
  readonly close: () => Promise<unknown>;
}

function contextOf(given: Arguments, url: string, parts: ContextParts): OpenContext {
  const { env, clock = systemClock, ...rest } = parts;
  const token = tokenOf(given, env);
  const namespace = textOption(given, 'namespace') ?? env['ROLLCALL_NAMESPACE'] ?? 'default';
  const options = {
    namespace,
    // A command ends when its work is done, or by a signal, and not because nothing happens.
    keepAlive: true,
    ...(token === undefined ? {} : { token }),
    ...tlsOf(given, env),
    runtime: { warn: (message: string) => parts.err.write(`rollcall: ${message}\n`) },
  };
  const clientAt = (one: string) => new RegistrationClient({ ...options, url: one });
  const rollcall = new RegistrationClient({ ...options, url: urlsOf(url) });
  let opened: Promise<Rollcall> | undefined;
  // Most commands see nothing live, and need not load what that takes.
  const open = async () => {
    const sdk = await import('@rollcall/client-sdk');
    return new sdk.Rollcall({ ...options, url: urlsOf(url) });
  };
  const live = () => (opened ??= open());
  const context = { ...rest, env, clock, rollcall, live, clientAt, registryUrl: url, namespace };
  return {
    context,
    close: () => Promise.all([rollcall.close(), opened?.then((one) => one.close())]),
  };
}

/** A flag wins over a variable, and a token over the file of one. */
function tokenOf(given: Arguments, env: NodeJS.ProcessEnv): string | undefined {
  const flag = textOption(given, 'token');
  const fileFlag = textOption(given, 'token-file');
  if (flag !== undefined && fileFlag !== undefined) {
    throw usageError('--token and --token-file: expected at most one');
  }
  const fromEnv = env['ROLLCALL_TOKEN'] === '' ? undefined : env['ROLLCALL_TOKEN'];
  const token = flag ?? (fileFlag === undefined ? fromEnv : undefined);
  const file = fileFlag ?? env['ROLLCALL_TOKEN_FILE'];
  if (token !== undefined || file === undefined || file === '') return token;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usageError(`--token-file: expected a file with a token: ${(error as Error).message}`);
  }
  if (text !== '' && !text.includes('\n')) return text;
  throw usageError('--token-file: expected a file with a token: it has no line, or several');
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
