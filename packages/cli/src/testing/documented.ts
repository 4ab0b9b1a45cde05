import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import type { Command } from '../session/command.ts';
import type { TestCli } from './test-cli.ts';

/** One command in a document, and the output shown below it. */
interface Documented {
  readonly line: string;
  readonly shown: string;
}

const BLOCK = /^```(yaml|console)\n([^]*?)^```$/gm;

/** A block of a document: a file, or commands with their output. */
export type DocBlock =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'commands'; readonly commands: readonly Documented[] };

/** The files and commands of a document, in order. The comment in the first line of a file gives its name. */
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

/** The words of a command line, with quotes removed as in a shell. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** The output of a documented command: stdout, then stderr. */
export async function printedBy(cli: TestCli, line: string): Promise<string> {
  const [program, ...argv] = wordsOf(line).map((word) =>
    /\.(yaml|json)$/.test(word) ? `${cli.folder}/${word}` : word,
  );
  if (program !== 'rollcall') throw new Error(`no command of rollcall: ${line}`);
  const { out, err } = await cli.runWith({ env: { ROLLCALL_NAMESPACE: 'shop' } }, ...argv);
  return out + err;
}

/** Registers the instances that the document uses. */
export async function documentedInstances(cli: TestCli): Promise<void> {
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    await cli.register(`nginx/${id}`, 3001 + i, { address: '127.0.0.1', namespace: 'shop' });
  }
  await documentedCalls(cli);
}

/** Calls to the instances, through the service as it is later declared. */
async function documentedCalls(cli: TestCli): Promise<void> {
  const endpoints = [
    { endpoint: 'a/', calls: 600, failures: 0, inFlight: 2 },
    { endpoint: 'b/', calls: 590, failures: 3, inFlight: 3 },
  ].map((one) => {
    const latencies = LATENCY_BOUNDS_MS.map((boundMs) => {
      if (boundMs === 5) return one.calls - 20;
      return boundMs === 50 ? 20 : 0;
    });
    return { service: 'nginx', ...one, latencies: [...latencies, 0] };
  });
  const body = { windowMs: 5_000, forMs: 3_600_000, endpoints };
  await cli.rollcall.call('putTraffic', { params: { ns: 'shop', reporter: 'web-1' }, body });
}

/** The table of commands. */
export function commandTable(commands: readonly Command[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = commands.map(({ name, summary, options }) => {
    const flags = Object.entries(options).map(([long, { short }]) =>
      short === undefined ? `\`--${long}\`` : `\`-${short}\`, \`--${long}\``,
    );
    return `| \`${name}\` | ${cell(summary)} | ${flags.join(', ')} |\n`;
  });
  return `| command | does | options |\n| --- | --- | --- |\n${rows.join('')}`;
}
