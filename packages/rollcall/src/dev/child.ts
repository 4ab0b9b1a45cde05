import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { extname, join } from 'node:path';

// From source or from what was built, like this file.
const extension = extname(import.meta.filename);
const MAIN = join(import.meta.dirname, `../main${extension}`);
const LEASH = new URL(`leash${extension}`, import.meta.url).href;

export interface ChildOptions {
  readonly name: string;
  /** What to run: the words after `rollcall`. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder for its output. */
  readonly logs: string;
  /** Start it again whenever one of its source files changes. @default false */
  readonly isReloaded?: boolean;
}

/** One process of the stack. It has its own process group, so that a terminal's Ctrl-C reaches only the stack. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  #tail = '';

  constructor({ name, words, env = {}, logs, isReloaded = false }: ChildOptions) {
    this.name = name;
    const watch = isReloaded ? ['--watch', '--watch-preserve-output'] : [];
    // The conditions under which this process finds its packages.
    const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='));
    const flags = [...watch, ...conditions, '--import', LEASH];
    this.process = spawn(process.execPath, [...flags, MAIN, ...words], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    const output = createWriteStream(join(logs, `${name}.log`));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output.write(chunk);
        this.#tail = (this.#tail + chunk.toString()).slice(-2_000);
      });
    }
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The end of its output. */
  get tail(): string {
    return this.#tail.trim();
  }

  /** Sends SIGTERM, and SIGKILL after `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), withinMs);
    await exited;
    clearTimeout(timer);
  }
}
