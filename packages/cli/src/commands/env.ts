import { EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import type { Context } from '../session/context.ts';
import { environmentOf } from '../base/environment.ts';
import { jsonText } from '../output/document.ts';

type Variables = Readonly<Record<string, string>>;

const FORMATS: ReadonlyMap<string, (variables: Variables) => string> = new Map([
  ['dotenv', (variables) => lines(variables, '')],
  ['shell', (variables) => lines(variables, 'export ')],
]);

/** Nothing has to be quoted: no name and no value of these variables contains a character that a shell interprets. */
function lines(variables: Variables, prefix: string): string {
  return Object.entries(variables)
    .map(([name, value]) => `${prefix}${name}=${value}\n`)
    .join('');
}

async function run(context: Context, given: Arguments): Promise<number> {
  const formatName = textOption(given, 'output') ?? 'dotenv';
  const format = FORMATS.get(formatName);
  if (format === undefined && formatName !== 'json')
    throw usageError(`--output: expected dotenv, shell or json, got "${formatName}"`);
  const params = { ns: context.namespace };
  const { services } = await context.rollcall.call('listServices', { params });
  const variables = environmentOf(services);
  const { out } = context;
  if (format === undefined)
    out.pass(jsonText(variables, { isForTerminal: out.isTerminal, indent: 2 }));
  else out.write(format(variables));
  return EXIT.ok;
}

export const env: Command = {
  name: 'env',
  summary: 'Print the environment variables of the services that have a cluster IP',
  usage: 'env [-o dotenv|shell|json]',
  examples: ['env', 'env -n shop -o json', 'env -o shell > services.sh'],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      help: 'dotenv (default), shell or json',
    },
  },
  run,
};
