import { EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import type { Context } from '../session/context.ts';
import { environmentOf } from '../base/environment.ts';
import { jsonText } from '../output/document.ts';

const FORMATS: Readonly<Record<string, (variables: Readonly<Record<string, string>>) => string>> = {
  dotenv: (variables) => lines(variables, ''),
  shell: (variables) => lines(variables, 'export '),
};

/** Names and values of these variables contain no character that is special to a shell. */
function lines(variables: Readonly<Record<string, string>>, word: string): string {
  return Object.entries(variables)
    .map(([name, value]) => `${word}${name}=${value}\n`)
    .join('');
}

async function run(context: Context, given: Arguments): Promise<number> {
  const name = textOption(given, 'output') ?? 'dotenv';
  const format = FORMATS[name];
  if (format === undefined && name !== 'json')
    throw usageError(`--output: expected dotenv, shell or json, got "${name}"`);
  const params = { ns: context.namespace };
  const { services } = await context.rollcall.call('listServices', { params });
  const found = environmentOf(services);
  const { out } = context;
  if (format === undefined) out.pass(jsonText(found, { isForTerminal: out.isTerminal, indent: 2 }));
  else out.write(format(found));
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
