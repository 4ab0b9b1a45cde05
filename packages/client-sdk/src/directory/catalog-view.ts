import { withCause } from '@rollcall/runtime';
import type { Catalog, CatalogChange } from '../api/catalog.ts';
import { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import { keptAlive } from '../base/kept-alive.ts';
import type { Runtime } from '../base/runtime.ts';
import type { ServiceSnapshot } from '../api/service.ts';
import { exists, type FeedTable } from './feed-table.ts';

/** The part of a directory that a reader of all services needs. */
export interface CatalogSource {
  readonly table: FeedTable;
  /** ms since all services were last confirmed current; Infinity = no complete picture has arrived. */
  readonly wholeAgeMs: number;
  /** Why the watch is down; undefined while it is up or has not failed yet. */
  readonly failure: RollcallError | undefined;
}

interface CatalogEvents {
  change: (change: CatalogChange) => void;
  /** The first complete picture has arrived, or never will. */
  settled: (error: RollcallError | undefined) => void;
}

/** One reader of all services of a directory. */
export class CatalogView implements Catalog {
  readonly #source: CatalogSource;
  readonly #runtime: Runtime;
  readonly #events: Emitter<CatalogEvents>;
  readonly #onClosed: (view: CatalogView) => void;
  readonly #unsubscribe: () => void;
  #refusal: RollcallError | undefined;
  #isClosed = false;

  constructor(source: CatalogSource, runtime: Runtime, onClosed: (view: CatalogView) => void) {
    this.#source = source;
    this.#runtime = runtime;
    this.#onClosed = onClosed;
    this.#events = new Emitter(runtime);
    this.#unsubscribe = source.table.events.on('change', (one) => this.#events.emit('change', one));
    // Services that the directory showed to earlier readers are still new to this view's listeners.
    queueMicrotask(() => {
      for (const snapshot of source.table.snapshots()) {
        const { namespace, service } = snapshot;
        this.#events.emit('change', { namespace, service, snapshot });
      }
    });
  }

  get isReady(): boolean {
    return this.#source.wholeAgeMs !== Infinity;
  }

  async ready({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError();
    if (this.isReady) return;
    if (this.#refusal !== undefined) throw this.#refusal;
    const settled = new Promise<void>((resolve, reject) => {
      const end = (error: unknown) => {
        off();
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = () => end(withCause(signal?.reason, this.#source.failure));
      const off = this.#events.on('settled', end);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    await keptAlive(this.#runtime, settled);
  }

  service(namespace: string, name: string): ServiceSnapshot | undefined {
    const snapshot = this.#source.table.get({ namespace, service: name })?.snapshot;
    return snapshot !== undefined && exists(snapshot) ? snapshot : undefined;
  }

  services(): Iterable<ServiceSnapshot> {
    return this.#source.table.snapshots();
  }

  ageMs(): number {
    return this.#source.wholeAgeMs;
  }

  on(event: 'change', listener: (change: CatalogChange) => void): () => void {
    return this.#events.on(event, listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsubscribe();
    this.#events.emit('settled', closedError());
    this.#events.clear();
    this.#onClosed(this);
  }

  /** A complete picture has arrived, or the registry refuses to show one. */
  settle(refusal: RollcallError | undefined): void {
    this.#refusal = refusal;
    this.#events.emit('settled', refusal);
  }
}

function closedError(): RollcallError {
  return new RollcallError('closed', 'the catalog was closed');
}
