import type { EventStream } from './stream.ts';

/** A reader with more than this unread besides the snapshots it was last sent is parked, in bytes. */
const SLOW_BYTES = 1_048_576;

/** What a stream is about. */
export interface Interest {
  readonly namespace: string;
  /** Undefined = every service of the namespace; always so for the namespace `*`, which is all. */
  readonly services: readonly string[] | undefined;
}

/** One watch stream: synced, or parked because its reader is slow. */
export class Subscriber {
  readonly stream: EventStream;
  readonly interest: Interest;
  /** It has everything up to here, by snapshot or from before: older changes are not for it. */
  fromRevision: number;
  /** Place of the last change that it was sent, or of the last one before it began: those under way are not for it. */
  sentPlace: number;
  /** Bytes of the snapshots that it was last sent: they may be on their way for long. */
  syncBytes = 0;
  /** Since when it is parked, on the monotonic clock; undefined = it is not. */
  parkedAtMs: number | undefined;

  constructor(
    stream: EventStream,
    interest: Interest,
    from: { readonly revision: number; readonly place: number },
  ) {
    this.stream = stream;
    this.interest = interest;
    this.fromRevision = from.revision;
    this.sentPlace = from.place;
  }

  /** Keys under which the hub finds it. */
  keys(): readonly string[] {
    const { namespace, services } = this.interest;
    return services === undefined
      ? [`${namespace}/`]
      : services.map((service) => `${namespace}/${service}`);
  }

  wants(namespace: string, service: string): boolean {
    const { services } = this.interest;
    if (this.interest.namespace === '*') return true;
    return namespace === this.interest.namespace && (services?.includes(service) ?? true);
  }

  isSlow(): boolean {
    return this.stream.bufferedBytes > SLOW_BYTES + this.syncBytes;
  }
}
