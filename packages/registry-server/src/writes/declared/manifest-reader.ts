import { Worker } from 'node:worker_threads';
import { fileOf, type PortableFile, type ReadFile, readManifests } from '@rollcall/manifests';
import type { Clock } from '@rollcall/runtime';

/** Longer texts are read in a worker thread: reading takes about 5 ms per 1,000 characters. */
const INLINE_LENGTH = 2_000;
/** How long reading one text may take, in ms. */
const LONGEST_MS = 10_000;

/** How much memory reading one text may take, in MB. */
const MOST_MB = 512;

/** Reads files of manifests. */
export interface ManifestReader {
  /** Never rejects because of the content. */
  parse(text: string): Promise<ReadFile>;
  close(): void;
}

interface Waiting {
  readonly text: string;
  readonly resolve: (file: ReadFile) => void;
}

const FILE = new URL(import.meta.url);
const isSource = FILE.pathname.endsWith('.ts');

/**
 * Reads long texts in a worker thread, one after the other, so that a large file does not delay the heartbeats of other
 * clients. The thread starts with the first long text and does not keep the process alive.
 */
export class ThreadedReader implements ManifestReader {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  /** Finishes the text being read; called once. */
  #end: ((file: ReadFile) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async parse(text: string): Promise<ReadFile> {
    if (text.length <= INLINE_LENGTH) return readManifests(text);
    return new Promise((resolve) => {
      this.#waiting.push({ text, resolve });
      this.#next();
    });
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  #next(): void {
    const next = this.#end === undefined ? this.#waiting.shift() : undefined;
    if (next === undefined) return;
    const timer = this.#clock.after(LONGEST_MS, () => {
      this.#giveUp(`expected a string that can be read within ${LONGEST_MS / 1_000} s: split it`);
    });
    this.#end = (file) => {
      timer.cancel();
      this.#end = undefined;
      next.resolve(file);
      this.#next();
    };
    this.#worker ??= this.#begin();
    this.#worker.postMessage(next.text);
  }

  /** A text that breaks the thread, or takes too long, fails alone. */
  #giveUp(message: string): void {
    this.close();
    this.#end?.({ manifests: [], faults: [{ line: 1, column: 1, field: '', message, fix: '' }] });
  }

  #begin(): Worker {
    const file = new URL(`./manifest-thread.${isSource ? 'ts' : 'js'}`, FILE);
    const worker = new Worker(file, {
      resourceLimits: { maxOldGenerationSizeMb: MOST_MB },
      ...(isSource ? { execArgv: ['--conditions=@rollcall/source'] } : {}),
    });
    worker.unref();
    worker.on('message', (read: PortableFile) => {
      if (worker === this.#worker) this.#end?.(fileOf(read));
    });
    worker.on('error', (error: Error) => {
      if (worker === this.#worker) this.#giveUp(`it cannot be read: ${error.message}`);
    });
    return worker;
  }
}
