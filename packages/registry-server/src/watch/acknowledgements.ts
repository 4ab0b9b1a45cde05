import { type InstanceKey, instanceKeyOf, parseInstanceKey } from '@rollcall/contract';
import { SELF } from '../picture/instances/own-service.ts';
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
  /** Called when it may be seen now. */
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
  /** What each watcher has yet to acknowledge: an acknowledgement costs what it settles, however much drains. */
  readonly #owed = new Map<Subscriber, Set<InstanceKey>>();
  #isClosed = false;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** Entries of the log were applied, with these changes for watchers. */
  publish(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void {
    const begun: InstanceRecord[] = [];
    for (const entry of entries) {
      if (entry.op === 'del') this.#end(entry.instanceKey);
      if (entry.op !== 'set') continue;
      const key = instanceKeyOf(entry.record);
      if (entry.record.body.status !== 'draining') this.#end(key);
      // A later write to an instance that drains does not begin its drain again.
      else if (!this.#draining.has(key)) begun.push(entry.record);
    }
    for (const record of begun) this.#begin(record, changes);
    if (changes.some(isSelf)) for (const draining of this.#draining.values()) tell(draining);
  }

  /** The roll was read again: these instances drain now. */
  relisted(drainingNow: Iterable<InstanceRecord>, changes: readonly ServiceChange[]): void {
    const now = new Map(Array.from(drainingNow, (record) => [instanceKeyOf(record), record]));
    for (const key of this.#draining.keys()) if (!now.has(key)) this.#end(key);
    for (const [key, record] of now) {
      const isNews = changes.some((change) => shows(change, record));
      if (!isNews && this.#draining.has(key)) continue;
      this.#end(key);
      this.#begin(record, changes);
    }
  }

  /** A stream begins, which is shown what drains. */
  joined(subscriber: Subscriber): void {
    if (!subscriber.acknowledges) return;
    for (const key of this.#draining.keys()) {
      const { namespace, service } = parseInstanceKey(key);
      if (subscriber.wants(namespace, service)) this.#owe(subscriber, key);
    }
  }

  /** A watcher has applied everything up to a revision. */
  acknowledged(subscriber: Subscriber, revision: number): void {
    for (const key of this.#owed.get(subscriber) ?? [])
      if ((this.#draining.get(key)?.revision ?? 0) <= revision) this.#settle(subscriber, key);
  }

  /** A stream is over. */
  left(subscriber: Subscriber): void {
    // Streams that this server ends itself have acknowledged nothing.
    if (this.#isClosed) return;
    for (const key of this.#owed.get(subscriber) ?? []) this.#settle(subscriber, key);
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
    return { isSeen: watchers + silent === 0 && !this.#isClosed, watchers, servers: silent };
  }

  /** Calls back when {@link sight} of an instance may say that it is seen. Returns a function that ends it. */
  onChange(instance: InstanceKey, listener: () => void): () => void {
    const listeners = this.#draining.get(instance)?.listeners;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /** The server shuts down: from here on nothing becomes seen here. */
  close(): void {
    this.#isClosed = true;
    for (const draining of this.#draining.values()) tell(draining);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #begin(record: InstanceRecord, changes: readonly ServiceChange[]): void {
    const key = instanceKeyOf(record);
    const draining: Draining = {
      revision: record.revision,
      waiting: new Set(),
      servers: new Set(),
      listeners: new Set(),
    };
    this.#draining.set(key, draining);
    for (const change of changes) {
      if (!shows(change, record)) continue;
      for (const subscriber of this.#options.subscribersOf(change))
        if (subscriber.acknowledges) this.#owe(subscriber, key);
    }
    if (draining.waiting.size === 0) this.#options.onSeen(key, draining.revision);
  }

  #end(key: InstanceKey): void {
    const draining = this.#draining.get(key);
    if (draining === undefined) return;
    this.#draining.delete(key);
    for (const subscriber of draining.waiting) this.#forget(subscriber, key);
    tell(draining);
  }

  #owe(subscriber: Subscriber, key: InstanceKey): void {
    this.#draining.get(key)?.waiting.add(subscriber);
    const owed = this.#owed.get(subscriber) ?? new Set();
    this.#owed.set(subscriber, owed.add(key));
  }

  #forget(subscriber: Subscriber, key: InstanceKey): void {
    const owed = this.#owed.get(subscriber);
    owed?.delete(key);
    if (owed?.size === 0) this.#owed.delete(subscriber);
  }

  #settle(subscriber: Subscriber, key: InstanceKey): void {
    this.#forget(subscriber, key);
    const draining = this.#draining.get(key);
    if (draining?.waiting.delete(subscriber) !== true || draining.waiting.size > 0) return;
    this.#options.onSeen(key, draining.revision);
    tell(draining);
  }
}

/** Whether a change shows watchers that this instance drains: of its own service, or of one that selects it. */
function shows({ namespace, service, upserts }: ServiceChange, record: InstanceRecord): boolean {
  if (namespace !== record.namespace) return false;
  // Instances of other services may have the same id.
  const { address } = record.body;
  const isOwn = service === record.service;
  return upserts.some(
    (one) =>
      one.state === 'draining' && one.instance === record.id && (isOwn || one.address === address),
  );
}

/** A server came or left, and with it what is waited for. */
const isSelf = ({ namespace, service }: ServiceChange): boolean =>
  namespace === SELF.namespace && service === SELF.service;

function tell({ listeners }: Draining): void {
  for (const listener of listeners) listener();
}
