import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { OPTIONS, type OptionSpec } from './options.ts';

export type Config = Readonly<{
  [Name in keyof typeof OPTIONS]: z.output<(typeof OPTIONS)[Name]['schema']>;
}>;

/** The options are wrong; the message names option, value and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const specs = Object.entries(OPTIONS) as [keyof typeof OPTIONS, OptionSpec][];

/** @throws ConfigError with everything that is wrong. */
export function readConfig(argv: readonly string[], environment: NodeJS.ProcessEnv): Config {
  const given = readFlags(argv);
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, { flag, env, schema }] of specs) {
    const variable = env === undefined ? undefined : environment[env];
    const text = given[flag] ?? (variable === '' ? undefined : variable);
    const result = schema.safeParse(text);
    const source = given[flag] === undefined && text !== undefined ? env : `--${flag}`;
    if (result.success) config[name] = result.data;
    else problems.push(`${source}: ${problemOf(name, text, result.error)}`);
  }
  problems.push(...exposures(config));
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return Object.freeze(config) as Config;
}

/** What is for operators is not shown to everybody by accident. */
function exposures({ metrics, insecureMetrics }: Partial<Config>): string[] {
  if (metrics === undefined || insecureMetrics !== false || isLoopback(metrics.host)) return [];
  return [
    `--metrics: got ${JSON.stringify(metrics.host)}, expected a loopback address, or --insecure-metrics on`,
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function problemOf(name: string, text: string | undefined, { issues }: z.ZodError): string {
  const message = issues[0]?.message ?? 'is wrong';
  if (text === undefined || name === 'token') return message;
  return `got ${JSON.stringify(text)}, ${message}`;
}

function readFlags(argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(specs.map(([, { flag }]) => [flag, { type: 'string' }]));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: options as Record<string, { type: 'string' }>,
      strict: true,
    });
    return values;
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

/** What `--help` prints. */
export function helpText(): string {
  const lines = specs.map(([, { flag, value = '', env, help, schema }]) => {
    const standard = defaultOf(schema);
    const notes = [
      ...(env === undefined ? [] : [`environment: ${env}`]),
      ...(standard === undefined ? [] : [`default: ${standard}`]),
    ];
    const tail = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
    return `  --${flag} ${value}\n      ${help}${tail}\n`;
  });
  return `rollcall-node-proxy: cluster IPs, node ports and external IPs of declared services, on this machine

  rollcall-node-proxy --registry http://127.0.0.1:7400   start, until SIGTERM or SIGINT
  rollcall-node-proxy --help

Options:

${lines.join('')}`;
}

/** As it would be given on the command line. */
function defaultOf(schema: z.ZodType): string | undefined {
  const { def } = schema as unknown as { def: { type: string; defaultValue?: unknown } };
  if (def.type !== 'prefault' && def.type !== 'default') return undefined;
  return String(def.defaultValue);
}
