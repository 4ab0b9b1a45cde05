import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNode, type TestProcess, until } from '@rollcall/testkit';

export interface FleetOptions {
  /** Url of the registry. */
  readonly registry: string;
  /** Folder for ledgers. */
  readonly folder: string;
  /** Longest time that an instance works on a call, in ms. */
  readonly workMs: number;
  /** Whether the instances leave as most programs do. */
  readonly isPlain: boolean;
}

interface Member {
  readonly ledger: string;
  readonly process: TestProcess;
}

const INSTANCE = new URL('instance.ts', import.meta.url).pathname;

/** Instances of `orders`, each a process. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #running: Member[] = [];
  readonly #ledgers: string[] = [];
  /** From SIGTERM to the end of the process, of each that was replaced, in ms. */
  readonly leavesMs: number[] = [];
  /** Connections that were cut off. */
  cutOff = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  async grow(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#start()));
  }

  /** Starts another one, and ends the one that has run longest. */
  async replaceOldest(): Promise<void> {
    await this.#start();
    await this.endOldest();
  }

  async endOldest(): Promise<void> {
    const oldest = this.#running.shift();
    if (oldest === undefined) return;
    const startMs = performance.now();
    const code = await oldest.process.stop();
    this.leavesMs.push(performance.now() - startMs);
    if (code !== 0) throw new Error(`an instance ended with ${code}:\n${oldest.process.output}`);
    const [, last = '[]'] = /\n(\[.*\])\n$/.exec(oldest.process.output) ?? [];
    for (const { cutOff } of JSON.parse(last) as { cutOff: number }[]) this.cutOff += cutOff;
  }

  async end(): Promise<void> {
    while (this.#running.length > 0) await this.endOldest();
  }

  /** Ids of the calls that all instances served. Complete after {@link end}. */
  served(): string[] {
    return this.#ledgers.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((id) => id !== ''),
    );
  }

  async #start(): Promise<void> {
    const { registry, folder, workMs, isPlain } = this.#options;
    const id = `i-${this.#ledgers.length}`;
    const ledger = join(folder, `${id}.ledger`);
    this.#ledgers.push(ledger);
    const args = [`--registry=${registry}`, `--id=${id}`, `--ledger=${ledger}`, `--work=${workMs}`];
    const started = startNode(INSTANCE, isPlain ? [...args, '--plain'] : args);
    this.#running.push({ ledger, process: started });
    await until(() => started.output.includes('up\n'));
  }
}
