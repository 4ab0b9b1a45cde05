import { type InstanceKey, instanceKeyOf } from '@rollcall/contract';
import { SELF } from '../picture/instances/own-service.ts';
import type { ServiceChange } from '../picture/service-change.ts';
import type { LogEntry } from '../store/log-entry.ts';
import type { InstanceRecord } from '../store/record.ts';
import type { Subscriber } from './subscriber.ts';

/** An instance that drains. */
interface Draining {
  /** Revision of the write by which it began. */
  readonly revision: number;
  readonly record: InstanceRecord;
  /**
   * Watchers that have yet to acknowledge it, and the revision from which on an acknowledgement includes it: Infinity as
   * long as it has not been sent to them, because changes of a flapping endpoint are held back.
   */
  readonly waiting: Map<Subscriber, number>;
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
  /** By namespace and id, which endpoints have too. */
  readonly #byName = new Map<string, Set<Draining>>();
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
    for (const record of begun) this.#begin(record);
    if (begun.length > 0)
      for (const change of changes)
        for (const draining of this.#shownBy(change))
          for (const subscriber of this.#options.subscribersOf(change))
            this.#owe(subscriber, draining, Infinity);
    for (const record of begun) this.#settleIfSeen(instanceKeyOf(record));
    if (changes.some(isSelf)) for (const draining of this.#draining.values()) tell(draining);
  }

  /** A change was sent to these streams. */
  sent(change: ServiceChange, subscribers: readonly Subscriber[]): void {
    for (const { waiting } of this.#shownBy(change))
      for (const subscriber of subscribers)
        if (waiting.has(subscriber)) waiting.set(subscriber, change.revision);
  }

  /** The roll was read again: these instances drain now, and these changes were sent. */
  relisted(drainingNow: Iterable<InstanceRecord>, changes: readonly ServiceChange[]): void {
    const now = new Map(Array.from(drainingNow, (record) => [instanceKeyOf(record), record]));
    for (const key of this.#draining.keys()) if (!now.has(key)) this.#end(key);
    const news = new Set(changes.flatMap((change) => [...this.#shownBy(change)]));
    for (const [key, record] of now) {
      const known = this.#draining.get(key);
      if (known !== undefined && !news.has(known)) continue;
      // Another drain than the known one, for the same that wait.
      if (known !== undefined) this.#forgetAll(key, known);
      this.#begin(record, known?.listeners);
    }
    for (const change of changes)
      for (const draining of this.#shownBy(change))
        for (const subscriber of this.#options.subscribersOf(change))
          this.#owe(subscriber, draining, change.revision);
    for (const key of now.keys()) this.#settleIfSeen(key);
  }

  /** A stream begins, which is shown what drains. */
  joined(subscriber: Subscriber): void {
    if (!subscriber.acknowledges) return;
    for (const draining of this.#draining.values()) {
      const { namespace, service } = draining.record;
      if (subscriber.wants(namespace, service)) this.#owe(subscriber, draining, draining.revision);
    }
  }

  /** A watcher has applied everything up to a revision. */
  acknowledged(subscriber: Subscriber, revision: number): void {
    for (const key of this.#owed.get(subscriber) ?? [])
      if ((this.#draining.get(key)?.waiting.get(subscriber) ?? 0) <= revision)
        this.#settle(subscriber, key);
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

  #begin(record: InstanceRecord, listeners: Draining['listeners'] = new Set()): void {
    const key = instanceKeyOf(record);
    const { revision } = record;
    const draining = {
      revision,
      record,
      waiting: new Map(),
      servers: new Set<string>(),
      listeners,
    };
    this.#draining.set(key, draining);
    const name = nameOf(record.namespace, record.id);
    this.#byName.set(name, (this.#byName.get(name) ?? new Set<Draining>()).add(draining));
  }

  #end(key: InstanceKey): void {
    const draining = this.#draining.get(key);
    if (draining === undefined) return;
    this.#forgetAll(key, draining);
    tell(draining);
  }

  #forgetAll(key: InstanceKey, draining: Draining): void {
    this.#draining.delete(key);
    const name = nameOf(draining.record.namespace, draining.record.id);
    const named = this.#byName.get(name);
    named?.delete(draining);
    if (named?.size === 0) this.#byName.delete(name);
    for (const subscriber of draining.waiting.keys()) this.#forget(subscriber, key);
  }

  /** The drains that a change shows: of instances of its own service, or of one that it selects. */
  *#shownBy({ namespace, service, upserts }: ServiceChange): Generator<Draining> {
    if (this.#draining.size === 0) return;
    for (const { instance, state, address, port } of upserts) {
      if (state !== 'draining') continue;
      const named = [...(this.#byName.get(nameOf(namespace, instance)) ?? [])];
      const own = named.find(({ record }) => record.service === service);
      if (own !== undefined) yield own;
      // A declared service shows instances of others. Several services may have instances of one name.
      else yield* named.filter(({ record }) => isAt(record, address, port));
    }
  }

  #owe(subscriber: Subscriber, draining: Draining, fromRevision: number): void {
    if (!subscriber.acknowledges) return;
    draining.waiting.set(subscriber, fromRevision);
    const owed = this.#owed.get(subscriber) ?? new Set();
    this.#owed.set(subscriber, owed.add(instanceKeyOf(draining.record)));
  }

  #forget(subscriber: Subscriber, key: InstanceKey): void {
    const owed = this.#owed.get(subscriber);
    owed?.delete(key);
    if (owed?.size === 0) this.#owed.delete(subscriber);
  }

  #settle(subscriber: Subscriber, key: InstanceKey): void {
    this.#forget(subscriber, key);
    if (this.#draining.get(key)?.waiting.delete(subscriber) === true) this.#settleIfSeen(key);
  }

  #settleIfSeen(key: InstanceKey): void {
    const draining = this.#draining.get(key);
    if (draining === undefined || draining.waiting.size > 0) return;
    this.#options.onSeen(key, draining.revision);
    tell(draining);
  }
}

/** A server came or left, and with it what is waited for. */
const isSelf = ({ namespace, service }: ServiceChange): boolean =>
  namespace === SELF.namespace && service === SELF.service;

const isAt = ({ body }: InstanceRecord, address: string, port: number): boolean =>
  body.address === address && Object.values(body.ports).some((one) => one.port === port);

const nameOf = (namespace: string, id: string) => `${namespace}/${id}`;

function tell({ listeners }: Draining): void {
  for (const listener of listeners) listener();
}
