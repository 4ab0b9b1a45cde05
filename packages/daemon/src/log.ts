import { type DestinationStream, type Logger, pino } from 'pino';

/** How many levels of error causes are logged. */
const CAUSES = 5;

/** `<partition>.<ttlMs>.<128 random bits>`: keeps enough to tell two leases apart. */
const LEASE_ID = /\b(\d+\.\d+\.[0-9a-f]{4})[0-9a-f]{28}\b/g;
/** User and password in a URL. */
const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const BEARER = /(bearer\s+)[^\s"']+/gi;

/** A text without secrets that would give a reader access: leases, passwords in URLs, tokens. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(LEASE_ID, '$1…')
    .replaceAll(USERINFO, '$1(not shown)@')
    .replaceAll(BEARER, '$1(not shown)');
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: unknown;
  readonly cause?: LoggedError;
}

/**
 * The logged part of an error. Leaves out other properties that libraries add, such as the arguments of a failed
 * command, which contain leases, nonces or a password.
 */
function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: withoutSecrets(String(error)), stack: '' };
  }
  const { name, message, stack = '', cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: name,
    message: withoutSecrets(message),
    stack: withoutSecrets(stack),
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || depth === CAUSES ? {} : { cause: loggedError(cause, depth + 1) }),
  };
}

/** Logs JSON lines to standard output, or to `destination`. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { level, serializers: { err: (error: unknown) => loggedError(error) } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** The log of a program: JSON lines, or readable text on a terminal. */
export async function openLog(level: string): Promise<Logger> {
  if (!process.stdout.isTTY) return createLogger(level);
  const { default: pretty } = await import('pino-pretty');
  const colorize = process.env['NO_COLOR'] === undefined;
  const ignore = 'pid,hostname';
  return createLogger(level, pretty({ colorize, ignore, translateTime: 'HH:MM:ss', sync: true }));
}

/** How the parts of a program log. @default level 'info' */
export type Tell = (message: string, level?: 'debug' | 'info' | 'warn' | 'error') => void;

export function tellOf(logger: Logger): Tell {
  return (message, level = 'info') => logger[level](message);
}

/** For embedded programs: lines on standard error that begin with the program's name, from level 'info' up. */
export function lineLog(program: string): Tell {
  return (message, level) => {
    if (level !== 'debug') process.stderr.write(`${program}: ${message}\n`);
  };
}

/** Logs the warnings of the registry's client. */
export function clientWarnings(tell: Tell): (message: string, cause?: unknown) => void {
  return (message, cause) =>
    tell(cause instanceof Error ? `${message}\n${cause.stack}` : message, 'warn');
}
