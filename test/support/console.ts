import { type ChildProcess, spawn } from 'node:child_process';
import { until } from '@rollcall/testkit';

/** One command in a document, and its documented output. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/**
 * The commands in the `console` blocks of a Markdown text: `$ ` starts one, and a
 * here-document continues it to its end.
 */
export function stepsOf(markdown: string): Step[] {
  return [...markdown.matchAll(BLOCK)].flatMap(([, block = '']) => stepsOfBlock(block));
}

function stepsOfBlock(block: string): Step[] {
  const steps: { command: string; output: string }[] = [];
  let end: string | undefined;
  for (const line of block.replace(/\n$/, '').split('\n')) {
    const last = steps.at(-1);
    if (end !== undefined && last !== undefined) {
      last.command += `\n${line}`;
      if (line === end) end = undefined;
    } else if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), output: '' });
      end = /<<'(\w+)'$/.exec(line)?.[1];
    } else if (last !== undefined) last.output += `${line}\n`;
  }
  return steps;
}

/** The text with new outputs in its `console` blocks, in the order of {@link stepsOf}. */
export function withOutputs(markdown: string, outputs: readonly string[]): string {
  let next = 0;
  return markdown.replaceAll(BLOCK, (_, block: string) => {
    const shown = stepsOfBlock(block).map(
      ({ command }) => `$ ${command}\n${outputs[next++] ?? ''}`,
    );
    return `\`\`\`console\n${shown.join('')}\`\`\``;
  });
}

/** What became of one command. */
export interface Outcome {
  /** Both streams together. */
  readonly output: string;
  readonly exitCode: number;
}

const MARK = /\n--- (\d+) ---\n/;

/** Commands that a shell got all at once, as from a paste: nobody waits between them. */
export class Paste {
  readonly #process: ChildProcess;
  readonly #commands: number;
  #text = '';

  constructor(commands: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    this.#commands = commands.length;
    const script = commands.map((command) => `${command}\nprintf '\\n--- %s ---\\n' $?\n`);
    // In a separate process group, so that everything it starts can be ended with it.
    this.#process = spawn('bash', ['--norc', '-c', script.join('')], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString();
      });
    }
  }

  /** The outcomes in the order of the commands, once the last command has ended. */
  async outcomes(withinMs: number): Promise<Outcome[]> {
    const parts = await until(
      () => {
        const found = this.#text.split(MARK);
        return found.length > 2 * this.#commands ? found : undefined;
      },
      { withinMs, what: 'the end of the commands' },
    ).catch((error: Error) => {
      throw new Error(`${error.message}; until then:\n${this.#text}`);
    });
    return Array.from({ length: this.#commands }, (_, index) => ({
      output: parts[2 * index]?.replace(/(?<=[^\n])$/, '\n') ?? '',
      exitCode: Number(parts[2 * index + 1]),
    }));
  }

  /** Whether anything that it started still runs. */
  get isRunning(): boolean {
    return this.#signal(0);
  }

  /** Ends the shell and everything that it started. */
  close(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-(this.#process.pid ?? 0), signal);
    } catch {
      // Everything has ended already.
      return false;
    }
  }
}
