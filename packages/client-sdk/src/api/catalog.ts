import type { ServiceSnapshot } from './service.ts';

/** A change of one service. */
export interface CatalogChange {
  readonly namespace: string;
  readonly service: string;
  /** Undefined: the service no longer exists. */
  readonly snapshot: ServiceSnapshot | undefined;
}

export interface CatalogOptions {
  /** One namespace, or `*` for all. @default '*' */
  readonly namespace?: string;
}

/**
 * Every service of one namespace or of all namespaces: the data source of DNS servers and proxies. Like a
 * {@link import('./service.ts').Service}, it keeps its last picture while the registry is unreachable.
 */
export interface Catalog {
  /**
   * Resolves once the first complete picture has arrived. Rejects on abort, on close and when the registry refuses to
   * show it.
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Whether the first complete picture has arrived. */
  readonly isReady: boolean;
  /** The latest picture of a service; undefined when it does not exist, or before the first picture. */
  service(namespace: string, name: string): ServiceSnapshot | undefined;
  /** All pictures, in no particular order. */
  services(): Iterable<ServiceSnapshot>;
  /** ms since the registry last confirmed that the pictures are current; Infinity before the first confirmation. */
  ageMs(): number;
  /**
   * Calls the listener for each service that changed, in order and never concurrently, both before and after the first
   * complete picture. Returns a function that unsubscribes.
   */
  on(event: 'change', listener: (change: CatalogChange) => void): () => void;
  /** Stops watching. Safe to call twice. */
  close(): void;
}
