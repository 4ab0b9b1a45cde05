import type { EventStream } from './stream.ts';

/** A reader with more than this unread besides the snapshots it was last sent is parked, in bytes. */
const SLOW_BYTES = 1_048_576;

/** A stream about more services than this is about the whole namespace: each name is held for as long as the stream. */
const MAX_NAMED = 2_000;

/** What a stream is about when it begins. */
export interface Interest {
  readonly namespace: string;
  /** Undefined = every service of the namespace; always so for the namespace `*`, which is all. */
  readonly services: readonly string[] | undefined;
}

/** Whose a stream is. */
export interface Subscription {
  /** Unguessable. */
  readonly id: string;
  /** Undefined = nobody's in particular: an admin's, or there are no tokens. */
  readonly owner: string | undefined;
}

/** Where a stream begins. */
interface Start {
  readonly revision: number;
  readonly place: number;
}

/** One watch stream: synced, or parked because its reader is slow. */
export class Subscriber {
  readonly stream: EventStream;
  readonly subscription: Subscription;
  readonly namespace: string;
  /** The services that it is about; undefined = every one of the namespace. */
  #services: Set<string> | undefined;
  /** It has everything up to here, by snapshot or from before: older changes are not for it. */
  fromRevision: number;
  /** Services that were taken up since -> the revision of the picture that it was shown them in. */
  readonly #shownAt = new Map<string, number>();
  /** Place of the last change that it was sent, or of the last one before it began: those under way are not for it. */
  sentPlace: number;
  /** Bytes of the snapshots that it was last sent: they may be on their way for long. */
  syncBytes = 0;
  /** Since when it is parked, on the monotonic clock; undefined = it is not. */
  parkedAtMs: number | undefined;
  /** It took services up while it was parked: it is shown everything anew. */
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

  get services(): ReadonlySet<string> | undefined {
    return this.#services;
  }

  /** Keys under which the hub finds it. */
  keys(): readonly string[] {
    const services = this.#services;
    if (services === undefined) return [`${this.namespace}/`];
    return Array.from(services, (service) => `${this.namespace}/${service}`);
  }

  /**
   * From now on it is about these too; undefined = every service of the namespace, as it is from {@link MAX_NAMED} on.
   */
  extend(services: readonly string[] | undefined): void {
    for (const service of services ?? []) this.#services?.add(service);
    const count = this.#services?.size ?? 0;
    if (services === undefined || count > MAX_NAMED) this.#services = undefined;
  }

  /** Its next change of a service is the first after this revision. */
  shown(service: string, revision: number): void {
    this.#shownAt.set(service, revision);
  }

  /** It is shown everything as of this revision. */
  shownAll(revision: number): void {
    this.fromRevision = revision;
    this.#shownAt.clear();
  }

  wants(namespace: string, service: string): boolean {
    if (this.namespace === '*') return true;
    return namespace === this.namespace && (this.#services?.has(service) ?? true);
  }

  /** Whether a change is in what it was shown. */
  has({ service, revision }: { readonly service: string; readonly revision: number }): boolean {
    const shownAt = this.#shownAt.size === 0 ? undefined : this.#shownAt.get(service);
    return revision <= (shownAt ?? this.fromRevision);
  }

  isSlow(): boolean {
    return this.stream.bufferedBytes > SLOW_BYTES + this.syncBytes;
  }

  /** Whether its reader has taken so much of what it was sent that more may follow. */
  takesMore(): boolean {
    return this.stream.bufferedBytes <= SLOW_BYTES;
  }
}
