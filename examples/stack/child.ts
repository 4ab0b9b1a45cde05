import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEASH = fileURLToPath(new URL('leash.ts', import.meta.url));

export interface ChildOptions {
  readonly name: string;
  /** Path from the project's root. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder for its output. */
  readonly logs: string;
  /** Start it again whenever one of its source files changes. @default false */
  readonly isReloaded?: boolean;
}

/** One process of the stack. It has its own process group, so that a terminal's Ctrl-C reaches only the stack. */
export class Child {
  readonly name: string;
  readonly log: string;
  readonly process: ChildProcess;
  #tail = '';

  constructor({ name, file, args = [], env = {}, logs, isReloaded = false }: ChildOptions) {
    this.name = name;
    this.log = join(logs, `${name}.log`);
    const watch = isReloaded ? ['--watch', '--watch-preserve-output'] : [];
    const flags = [...watch, '--conditions=@rollcall/source', '--import', LEASH];
    this.process = spawn(process.execPath, [...flags, join(ROOT, file), ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    const output = createWriteStream(this.log);
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
