import type { ResolvedOptions } from '../api/options.ts';
import { guarded } from '../base/guard.ts';
import type { RegistryApi } from '../registry/registry-api.ts';

/** What is applied within this time is acknowledged by one request, in ms; listeners have run by then. */
const TOGETHER_MS = 5;

/**
 * Tells registry servers what this client has applied, when somebody waits for it: an instance that drains leaves as soon
 * as its callers know.
 */
export class Acknowledger {
  readonly #client: RegistryApi;
  readonly #options: ResolvedOptions;
  /** Url -> stream -> revision. */
  readonly #due = new Map<string, Map<string, string>>();

  constructor(client: RegistryApi, options: ResolvedOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Everything that this stream sent up to the revision is applied. */
  applied(url: string, stream: string, revision: string): void {
    const due = this.#due.get(url);
    if (due !== undefined) {
      due.set(stream, revision);
      return;
    }
    this.#due.set(url, new Map([[stream, revision]]));
    const { runtime } = this.#options;
    runtime.after(TOGETHER_MS, () => guarded(runtime, 'acknowledging', () => void this.#send(url)));
  }

  async #send(url: string): Promise<void> {
    const streams = this.#due.get(url) ?? [];
    this.#due.delete(url);
    const acks = Array.from(streams, ([stream, revision]) => ({ stream, revision }));
    // An instance that waits in vain waits for a bounded time.
    await this.#client.callAt(url, 'acknowledge', { body: { acks } }).catch(() => undefined);
  }
}
