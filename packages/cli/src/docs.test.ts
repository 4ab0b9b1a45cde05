import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCommands, COMMAND_NAMES } from './commands/all.ts';
import { blocksOf, commandTable, documentedInstances, printedBy } from './testing/documented.ts';
import { TestCli } from './testing/test-cli.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await documentedInstances(cli);
});
afterAll(() => cli.close());

test('the table has every command with its options', async () => {
  const table = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.replaceAll(/ +/g, ' '));
  expect(table(DOCUMENT.split('## Commands')[1]?.split('## Examples')[0] ?? '')).toEqual(
    table(commandTable(await allCommands())),
  );
});

describe('the examples print what stands below them', () => {
  const commands = blocksOf(DOCUMENT).flatMap((block) =>
    block.kind === 'commands' ? block.commands : [],
  );
  test.each(commands.map(({ line, shown }, i) => [i, line, shown] as const))(
    '%i: %s',
    async (_, line, shown) => {
      for (const block of blocksOf(DOCUMENT)) {
        if (block.kind === 'file') cli.file(block.name, block.text);
      }
      expect(await printedBy(cli, line)).toBe(shown);
    },
  );

  test('there is one of every command that prints something and ends', () => {
    const apart = [
      'edit',
      'port-forward',
      'run',
      'api-resources',
      'api-versions',
      'cluster-info',
      'version',
      'completion',
    ];
    const shown = new Set(commands.map(({ line }) => line.split(' ')[1]));
    expect(COMMAND_NAMES.filter((name) => !shown.has(name))).toEqual(
      COMMAND_NAMES.filter((name) => apart.includes(name)),
    );
  });
});
