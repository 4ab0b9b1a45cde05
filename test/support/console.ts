import { type ChildProcess, spawn } from 'node:child_process';

/** One command of a text and what it is said to print. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/** The commands of the `console` blocks of a Markdown text: `$ ` begins one, a here-document goes on to its end. */
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

/** The text with other outputs in its `console` blocks, in the order of {@link stepsOf}. */
export function withOutputs(markdown: string, outputs: readonly string[]): string {
  let next = 0;
  return markdown.replaceAll(BLOCK, (_, block: string) => {
    const shown = stepsOfBlock(block).map(
      ({ command }) => `$ ${command}\n${outputs[next++] ?? ''}`,
    );
    return `\`\`\`console\n${shown.join('')}\`\`\``;
  });
}

/** A shell that is typed to, one command at a time. */
export class Shell {
  readonly #process: ChildProcess;
  #text = '';
  #onText: () => void = () => {};
  #serial = 0;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    // In a group of its own, so that what it starts can be ended with it.
    this.#process = spawn('bash', ['--norc', '-s'], { cwd, env, detached: true });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString();
        this.#onText();
      });
    }
  }

  /** What a command prints, both streams together. */
  async run(command: string): Promise<string> {
    const mark = `--- ${++this.#serial} ---`;
    this.#text = '';
    this.#process.stdin?.write(`${command}\necho; echo '${mark}'\n`);
    while (!this.#text.includes(`${mark}\n`)) {
      await new Promise<void>((resolve) => {
        this.#onText = resolve;
      });
    }
    const text = this.#text.slice(0, this.#text.indexOf(mark));
    return text
      .replace(/\n$/, '')
      .replace(/(?<=[^\n])$/, '\n')
      .replace(/^\n$/, '');
  }

  /** Ends it and all that it started. */
  close(): void {
    try {
      process.kill(-(this.#process.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
