import type { EventStream } from './stream.ts';

/** A reader is parked when it has more unread bytes than this, besides the last snapshots. */
const SLOW_BYTES = 1_048_576;

/**
 * Above this many services a stream covers its whole namespace: each name is kept in memory while the stream is open.
 */
const MAX_NAMED = 2_000;

/** What a stream covers when it begins. */
export interface Interest {
  readonly namespace: string;
  /** Undefined = every service of the namespace; always so for the namespace `*`, which means all namespaces. */
  readonly services: readonly string[] | undefined;
}

/** Identity and owner of a stream. */
export interface Subscription {
  /** Unguessable. */
  readonly id: string;
  /** Undefined = no owner: the caller is an admin, or there are no tokens. */
  readonly owner: string | undefined;
  /** Whether it says what it has applied. @default false */
  readonly acknowledges?: boolean;
}

/** The position where a stream begins. */
interface Start {
  readonly revision: number;
  readonly place: number;
}

/** One watch stream: in sync, or parked because its reader is slow. */
export class Subscriber {
  readonly stream: EventStream;
  readonly subscription: Subscription;
  readonly namespace: string;
  /** The services it covers; undefined = all of the namespace. */
  #services: Set<string> | undefined;
  /** It has everything up to here, from snapshots or from before, so older changes are left out. */
  fromRevision: number;
  /** Service added later -> the picture revision of its snapshot. */
  readonly #shownAt = new Map<string, number>();
  /**
   * Place of the last change that was sent, or of the last one before it began: earlier ones in the queue are left out.
   */
  sentPlace: number;
  /** Bytes of the last snapshots: sending them may take long. */
  syncBytes = 0;
  /** Since when it is parked, on the monotonic clock; undefined = not parked. */
  parkedAtMs: number | undefined;
  /** Services were added while it was parked: everything is sent again. */
  isResyncDue = false;

  constructor(stream: EventStream, subscription: Subscription, interest: Interest, from: Start) {
    const { namespace, services } = interest;
    this.stream = stream;
    this.subscription = subscription;
    this.namespace = namespace;
    this.#services = services && new Set(services);
    this.fromRevision = from.revision;
    this.sentPlace = from.place;
  }

  get acknowledges(): boolean {
    return this.subscription.acknowledges === true;
  }

  get services(): ReadonlySet<string> | undefined {
    return this.#services;
  }

  /** The keys of the index that lead to it. */
  keys(): readonly string[] {
    const services = this.#services;
    if (services === undefined) return [`${this.namespace}/`];
    return Array.from(services, (service) => `${this.namespace}/${service}`);
  }

  /** Adds services; undefined = every service of the namespace, as with more than {@link MAX_NAMED} services. */
  extend(services: readonly string[] | undefined): void {
    for (const service of services ?? []) this.#services?.add(service);
    const count = this.#services?.size ?? 0;
    if (services === undefined || count > MAX_NAMED) this.#services = undefined;
  }

  /** Snapshot of a service was sent: changes up to this revision are left out. */
  shown(service: string, revision: number): void {
    this.#shownAt.set(service, revision);
  }

  /** Snapshots of everything were sent, as of this revision. */
  shownAll(revision: number): void {
    this.fromRevision = revision;
    this.#shownAt.clear();
  }

  wants(namespace: string, service: string): boolean {
    if (this.namespace === '*') return true;
    return namespace === this.namespace && (this.#services?.has(service) ?? true);
  }

  /** Whether what was sent already includes a change. */
  hasSeen({ service, revision }: { readonly service: string; readonly revision: number }): boolean {
    const shownAt = this.#shownAt.size === 0 ? undefined : this.#shownAt.get(service);
    return revision <= (shownAt ?? this.fromRevision);
  }

  isSlow(): boolean {
    return this.stream.bufferedBytes > SLOW_BYTES + this.syncBytes;
  }

  /** Whether its reader has read enough for more to be sent. */
  takesMore(): boolean {
    return this.stream.bufferedBytes <= SLOW_BYTES;
  }
}
