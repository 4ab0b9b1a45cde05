import type { Command } from '../session/command.ts';
import type { TestCli } from './test-cli.ts';

/** One command of a document and what stands below it. */
interface Documented {
  readonly line: string;
  readonly shown: string;
}

const BLOCK = /^```(yaml|console)\n([^]*?)^```$/gm;

/** A block of a document: a file, or commands with what they print. */
export type DocBlock =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'commands'; readonly commands: readonly Documented[] };

/** The files and commands of a document, in their order. A file is named by the comment that it begins with. */
export function blocksOf(document: string): DocBlock[] {
  return [...document.matchAll(BLOCK)].map(([, language, text = '']): DocBlock => {
    if (language === 'yaml') {
      const [, name = ''] = /^# (\S+)/.exec(text) ?? [];
      return { kind: 'file', name, text };
    }
    const commands = text.split(/^(?=\$ )/m).map((part) => {
      const [first = '', ...rest] = part.split('\n');
      return { line: first.slice(2), shown: rest.join('\n') };
    });
    return { kind: 'commands', commands };
  });
}

/** The words of a command line, quotes taken off as a shell does. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** What a documented command prints, both outputs one after the other. */
export async function printedBy(cli: TestCli, line: string): Promise<string> {
  const [program, ...argv] = wordsOf(line).map((word) =>
    /\.(yaml|json)$/.test(word) ? `${cli.folder}/${word}` : word,
  );
  if (program !== 'rollcall') throw new Error(`no command of rollcall: ${line}`);
  const { out, err } = await cli.runWith({ env: { ROLLCALL_NAMESPACE: 'shop' } }, ...argv);
  return out + err;
}

/** The instances that the document speaks of. */
export async function documentedInstances(cli: TestCli): Promise<void> {
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    await cli.register(`nginx/${id}`, 3001 + i, { address: '127.0.0.1', namespace: 'shop' });
  }
}

/** The table of commands. */
export function commandTable(commands: readonly Command[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = commands.map(({ name, aliases = [], summary, options }) => {
    const names = [name, ...aliases].map((one) => `\`${one}\``).join(', ');
    const flags = Object.entries(options).map(([long, { short }]) =>
      short === undefined ? `\`--${long}\`` : `\`-${short}\`, \`--${long}\``,
    );
    return `| ${names} | ${cell(summary)} | ${flags.join(', ')} |\n`;
  });
  return `| command | does | options |\n| --- | --- | --- |\n${rows.join('')}`;
}
