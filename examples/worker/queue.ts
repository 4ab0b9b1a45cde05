// Stands for a queue such as BullMQ: `new Worker(process)` works on its jobs, and `close()` waits for those under
// way, as that of `bullmq` does. Its jobs are made here, one every 200 ms.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Job {
  readonly id: number;
}

export class Worker {
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  constructor(process: (job: Job) => Promise<void>) {
    this.#loop = this.#run(process);
  }

  isRunning(): boolean {
    return !this.#stop.signal.aborted;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(process: (job: Job) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    for (let id = 1; !signal.aborted; id++) {
      await process({ id });
      await sleep(200, undefined, { signal }).catch(() => undefined);
    }
  }
}
