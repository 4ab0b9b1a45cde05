import type { History } from '@rollcall/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './monotonic.ts';

interface RawEndpoint {
  readonly id: string;
  readonly instance: string;
  readonly tier: 0 | 1 | null;
}

interface RawEvent {
  readonly revision: string;
  readonly epoch?: string;
  readonly endpoints?: readonly RawEndpoint[];
  readonly upserts?: readonly RawEndpoint[];
  readonly removes?: readonly string[];
}

export interface RawWatcherOptions {
  readonly name: string;
  readonly service: string;
  /** URLs of the servers, tried in turn. */
  readonly urls: readonly string[];
}

/**
 * Reads the watch stream of one service without the SDK's grace period, resumes where it broke, and
 * records each picture in a history.
 */
export class RawWatcher {
  readonly #options: RawWatcherOptions;
  readonly #history: History;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  readonly #endpoints = new Map<string, RawEndpoint>();
  #since: string | undefined;
  #epoch = '';
  #hasPicture = false;

  constructor(history: History, options: RawWatcherOptions) {
    this.#history = history;
    this.#options = options;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { urls, service } = this.#options;
    const { signal } = this.#abort;
    for (let i = 0; !signal.aborted; i++) {
      const since = this.#since === undefined ? '' : `&since=${this.#since}`;
      const url = `${urls[i % urls.length]}/v1/watch?service=${service}${since}`;
      try {
        const response = await fetch(url, { signal });
        if (response.ok && response.body !== null) await this.#read(response.body);
      } catch {
        // Try the next server.
      }
      await sleep(50, undefined, { signal }).catch(() => {});
    }
  }

  async #read(body: NonNullable<Response['body']>): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#onBlock(block);
    }
  }

  #onBlock(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)] as const;
      }),
    );
    const event = fields.get('event');
    const data = JSON.parse(fields.get('data') ?? '{}') as RawEvent;
    this.#since = fields.get('id') ?? this.#since;
    if (event === 'bookmark') this.#epoch = data.epoch ?? this.#epoch;
    // Revisions of another store may be lower: the next snapshots start a new history.
    if (event === 'compacted') this.#since = undefined;
    if (event === 'snapshot') {
      this.#epoch = data.epoch ?? '';
      this.#endpoints.clear();
      for (const one of data.endpoints ?? []) this.#endpoints.set(one.id, one);
      this.#tell(data.revision, this.#hasPicture ? 'relist' : 'snapshot');
    }
    if (event !== 'change') return;
    for (const id of data.removes ?? []) this.#endpoints.delete(id);
    for (const one of data.upserts ?? []) this.#endpoints.set(one.id, one);
    this.#tell(data.revision, 'change');
  }

  #tell(revision: string, cause: 'snapshot' | 'relist' | 'change'): void {
    this.#hasPicture = true;
    const { name: watcher, service } = this.#options;
    const endpoints = [...this.#endpoints.values()].map(({ instance, tier }) => ({
      instance,
      tier,
    }));
    const atMs = monotonicMs();
    const epoch = this.#epoch;
    this.#history.add({ kind: 'seen', watcher, service, revision, epoch, cause, endpoints, atMs });
  }
}
