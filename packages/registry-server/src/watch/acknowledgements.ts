import { type InstanceKey, instanceKeyOf } from '@rollcall/contract';
import type { ServiceChange } from '../picture/service-change.ts';
import type { LogEntry } from '../store/log-entry.ts';
import type { InstanceRecord } from '../store/record.ts';
import type { Subscriber } from './subscriber.ts';

/** An instance that drains. */
interface Draining {
  /** Revision of the write by which it began. */
  readonly revision: number;
  /** Watchers that have yet to acknowledge it. */
  readonly waiting: Set<Subscriber>;
  /** Other servers whose watchers have all acknowledged it, or left. */
  readonly servers: Set<string>;
  /** Called whenever one of the two changes. */
  readonly listeners: Set<() => void>;
}

/** What another server reported. */
interface Reported {
  readonly instance: InstanceKey;
  readonly server: string;
  readonly revision: number;
}

/** Whether the watchers know that an instance drains. */
export interface Sight {
  readonly isSeen: boolean;
  /** Watchers of this server that have not acknowledged it. */
  readonly watchers: number;
  /** Other servers that have not reported it. */
  readonly servers: number;
}

export interface AcknowledgementsOptions {
  /** The streams that get the changes of a service. */
  readonly subscribersOf: (service: ServiceChange) => readonly Subscriber[];
  /** Called once for each drain that all watchers of this server know of. */
  readonly onSeen: (instance: InstanceKey, revision: number) => void;
}

/**
 * Follows which watchers have applied that an instance drains. Only those count that declared that they acknowledge, and
 * that have not left since.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #draining = new Map<InstanceKey, Draining>();

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** Entries of the log were applied, with these changes for watchers. */
  publish(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void {
    const begun: [InstanceKey, Draining][] = [];
    for (const entry of entries) {
      if (entry.op === 'del') this.#end(entry.instanceKey);
      if (entry.op === 'set' && this.#isNew(entry.record))
        begun.push([instanceKeyOf(entry.record), drainingSince(entry.revision)]);
    }
    if (begun.length === 0) return;
    const receivers = changes
      .filter(({ upserts }) => upserts.some(({ state }) => state === 'draining'))
      .flatMap((change) => this.#options.subscribersOf(change))
      .filter(({ acknowledges }) => acknowledges);
    for (const [key, draining] of begun) {
      this.#draining.set(key, draining);
      for (const subscriber of receivers) draining.waiting.add(subscriber);
      this.#settle(key, draining);
    }
  }

  /** A stream begins, which is shown what drains. */
  joined(subscriber: Subscriber, covers: (instance: InstanceKey) => boolean): void {
    if (!subscriber.acknowledges) return;
    for (const [key, { waiting }] of this.#draining) if (covers(key)) waiting.add(subscriber);
  }

  /** A watcher has applied everything up to a revision. */
  acknowledged(subscriber: Subscriber, revision: number): void {
    for (const [key, draining] of this.#draining)
      if (draining.revision <= revision) this.#leave(key, draining, subscriber);
  }

  /** A stream is over. */
  left(subscriber: Subscriber): void {
    for (const [key, draining] of this.#draining) this.#leave(key, draining, subscriber);
  }

  /** Another server reported that its watchers know of a drain. */
  reported({ instance, server, revision }: Reported): void {
    const draining = this.#draining.get(instance);
    if (draining === undefined || revision < draining.revision) return;
    draining.servers.add(server);
    tell(draining);
  }

  /** `servers`: the other servers on the roll. Nobody waits for an instance that does not drain. */
  sight(instance: InstanceKey, servers: readonly string[]): Sight {
    const draining = this.#draining.get(instance);
    if (draining === undefined) return { isSeen: true, watchers: 0, servers: 0 };
    const silent = servers.filter((server) => !draining.servers.has(server)).length;
    const watchers = draining.waiting.size;
    return { isSeen: watchers + silent === 0, watchers, servers: silent };
  }

  /** Calls back whenever {@link sight} of an instance may have changed. Returns a function that ends it. */
  onChange(instance: InstanceKey, listener: () => void): () => void {
    const listeners = this.#draining.get(instance)?.listeners;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /** A later write to an instance that drains does not begin its drain again. */
  #isNew(record: InstanceRecord): boolean {
    const key = instanceKeyOf(record);
    if (record.body.status !== 'draining') this.#end(key);
    return record.body.status === 'draining' && !this.#draining.has(key);
  }

  #end(key: InstanceKey): void {
    const draining = this.#draining.get(key);
    this.#draining.delete(key);
    if (draining !== undefined) tell(draining);
  }

  #leave(key: InstanceKey, draining: Draining, subscriber: Subscriber): void {
    if (draining.waiting.delete(subscriber)) this.#settle(key, draining);
  }

  #settle(key: InstanceKey, draining: Draining): void {
    if (draining.waiting.size === 0) this.#options.onSeen(key, draining.revision);
    tell(draining);
  }
}

const drainingSince = (revision: number): Draining => ({
  revision,
  waiting: new Set(),
  servers: new Set(),
  listeners: new Set(),
});

function tell({ listeners }: Draining): void {
  for (const listener of listeners) listener();
}
