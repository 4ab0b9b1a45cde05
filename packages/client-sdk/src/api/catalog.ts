import type { ServiceSnapshot } from './service.ts';

/** What became of one service. */
export interface CatalogChange {
  readonly namespace: string;
  readonly service: string;
  /** Undefined: it does not exist any more. */
  readonly snapshot: ServiceSnapshot | undefined;
}

export interface CatalogOptions {
  /** One namespace, or `*` for all. @default '*' */
  readonly namespace?: string;
}

/**
 * Every service of a namespace, or of all: what DNS servers and proxies live from. Like a
 * {@link import('./service.ts').Service} it keeps its last picture when the registry is away.
 */
export interface Catalog {
  /** Resolves once a first whole picture was seen. Rejects on abort, on close and when the registry refuses to show it. */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Whether a first whole picture was seen. */
  readonly isReady: boolean;
  /** The latest picture of a service; undefined when it does not exist, or before the first picture. */
  service(namespace: string, name: string): ServiceSnapshot | undefined;
  /** All pictures, in no order. */
  services(): Iterable<ServiceSnapshot>;
  /** ms since the registry last proved the pictures current; Infinity before the first. */
  ageMs(): number;
  /**
   * Calls back for each service that changed, in order, never concurrently: before the first whole picture as well
   * as after. Returns what ends it.
   */
  on(event: 'change', listener: (change: CatalogChange) => void): () => void;
  /** Stops watching. Twice does no harm. */
  close(): void;
}
