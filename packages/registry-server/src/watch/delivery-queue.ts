import type { Frame } from './frame.ts';
import type { PlacedChange } from './history.ts';
import type { Subscriber } from './subscriber.ts';

/** How many subscribers get a frame per turn of the event loop. */
const SLICE = 500;

export interface Delivery {
  readonly frame: Frame;
  /** A subscriber that already has this change skips the frame; undefined = all take it. */
  readonly change: PlacedChange | undefined;
  readonly subscribers: readonly Subscriber[];
}

/** Frames on their way to subscribers: in order, one slice per turn of the event loop. */
export class DeliveryQueue {
  readonly #send: (subscriber: Subscriber, delivery: Delivery) => void;
  readonly #deliveries: Delivery[] = [];
  #isDelivering = false;

  /** `send` does not throw. */
  constructor(send: (subscriber: Subscriber, delivery: Delivery) => void) {
    this.#send = send;
  }

  add(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    this.#run(0);
  }

  #run(from: number): void {
    let left = SLICE;
    let at = from;
    for (;;) {
      const delivery = this.#deliveries[0];
      if (delivery === undefined) break;
      const to = Math.min(delivery.subscribers.length, at + left);
      left -= to - at;
      for (; at < to; at++) this.#send(delivery.subscribers[at] as Subscriber, delivery);
      if (at < delivery.subscribers.length) {
        setImmediate(() => this.#run(at));
        return;
      }
      this.#deliveries.shift();
      at = 0;
    }
    this.#isDelivering = false;
  }
}
