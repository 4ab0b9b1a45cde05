import { type ChildProcess, spawn } from 'node:child_process';

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

/** An interactive shell that runs one command at a time. */
export class Shell {
  readonly #process: ChildProcess;
  #text = '';
  #onText: () => void = () => {};
  #serial = 0;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    // In a separate process group, so that everything it starts can be ended with it.
    this.#process = spawn('bash', ['--norc', '-s'], { cwd, env, detached: true });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString();
        this.#onText();
      });
    }
  }

  /** The output of a command, both streams together. */
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

  /** Ends the shell and everything that it started. */
  close(): void {
    try {
      process.kill(-(this.#process.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}
