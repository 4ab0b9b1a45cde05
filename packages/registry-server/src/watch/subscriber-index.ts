import { serviceKeyOf } from '@rollcall/contract';
import type { Subscriber, Subscription } from './subscriber.ts';

/** The open streams, indexed by what they cover. */
export class SubscriberIndex {
  readonly #byKey = new Map<string, Set<Subscriber>>();
  readonly #byId = new Map<string, Subscriber>();

  get size(): number {
    return this.#byId.size;
  }

  all(): Iterable<Subscriber> {
    return this.#byId.values();
  }

  /** The stream of this id, if it belongs to this owner. */
  find({ id, owner }: Subscription): Subscriber | undefined {
    const found = this.#byId.get(id);
    return found?.subscription.owner === owner ? found : undefined;
  }

  /** The subscribers that get the changes of a service. */
  subscribersOf({ namespace, service }: { readonly namespace: string; readonly service: string }) {
    return [
      ...(this.#byKey.get(serviceKeyOf({ namespace, service })) ?? []),
      ...(this.#byKey.get(`${namespace}/`) ?? []),
      ...(this.#byKey.get('*/') ?? []),
    ];
  }

  add(subscriber: Subscriber): void {
    this.#byId.set(subscriber.subscription.id, subscriber);
    this.#enter(subscriber, subscriber.keys());
  }

  remove(subscriber: Subscriber): void {
    this.#byId.delete(subscriber.subscription.id);
    this.#leave(subscriber, subscriber.keys());
  }

  /**
   * Adds services to a stream; undefined = its whole namespace. True when it now covers the namespace and did not
   * before.
   */
  extend(subscriber: Subscriber, services: readonly string[] | undefined): boolean {
    if (subscriber.services === undefined) return false;
    const before = subscriber.keys();
    subscriber.extend(services);
    const isWhole = subscriber.services === undefined;
    if (isWhole) this.#leave(subscriber, before);
    const named = services?.map((service) => `${subscriber.namespace}/${service}`);
    this.#enter(subscriber, isWhole || named === undefined ? subscriber.keys() : named);
    return isWhole;
  }

  #enter(subscriber: Subscriber, keys: readonly string[]): void {
    for (const key of keys) {
      const set = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, set.add(subscriber));
    }
  }

  #leave(subscriber: Subscriber, keys: readonly string[]): void {
    for (const key of keys) {
      const set = this.#byKey.get(key);
      set?.delete(subscriber);
      if (set?.size === 0) this.#byKey.delete(key);
    }
  }
}
