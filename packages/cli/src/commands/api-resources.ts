import { EXIT } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { say } from '../context.ts';
import { tableText } from '../output/table.ts';
import { RESOURCES } from '../resources/catalog.ts';

export const apiResources: Command = {
  name: 'api-resources',
  summary: 'List the types of things that other commands know',
  usage: 'api-resources',
  examples: ['api-resources'],
  options: {},
  run: (context) => {
    const rows = RESOURCES.map(({ names: [plural = '', ...others] }) => [plural, others.join(',')]);
    say(context, tableText([['NAME', 'OTHER NAMES'], ...rows]).trimEnd());
    return Promise.resolve(EXIT.ok);
  },
};
