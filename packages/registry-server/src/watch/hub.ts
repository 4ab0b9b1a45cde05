import { WATCH_PING_MS } from '@rollcall/contract';
import type { Supervisor } from '@rollcall/daemon';
import type { Clock, Random, Timer } from '@rollcall/runtime';
import type { Picture, ServiceChange } from '../picture/picture.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { ChangeDamper } from './damper.ts';
import { type Delivery, DeliveryQueue } from './delivery-queue.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { ChangeHistory, framesOf, type PlacedChange, sentChangeOf } from './history.ts';
import { Past, type PastPosition } from './past.ts';
import { PictureFrames } from './picture-frames.ts';
import type { EventStream } from './stream.ts';
import { type Interest, Subscriber, type Subscription } from './subscriber.ts';
import { SubscriberIndex } from './subscriber-index.ts';

/** Changes kept for streams that resume. */
const HISTORY = 10_000;

/** Random bytes in the name of a stream. */
const ID_BYTES = 16;

/** A subscriber that took nothing for so long is dropped, in ms. */
const PARKED_MS = 30_000;

export interface WatchHubOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly supervisor: Supervisor;
  /** How long changes of an endpoint that flaps are held back, in ms; 0 = not at all. */
  readonly flapHoldMs: number;
}

/**
 * Fans changes out to the watch streams. One frame is encoded per event and shared; delivery runs in slices, in the
 * order of the log; a subscriber that is slow is parked and later resynced, and holds up nobody.
 */
export class WatchHub {
  readonly #picture: Picture;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #supervisor: Supervisor;
  readonly #damper: ChangeDamper;
  readonly #history = new ChangeHistory(HISTORY);
  readonly #past = new Past(HISTORY * 2);
  readonly #subscribers = new SubscriberIndex();
  readonly #queue = new DeliveryQueue((subscriber, delivery) => this.#sendTo(subscriber, delivery));
  readonly #frames: PictureFrames;
  readonly #timer: Timer;
  #isMoving = false;
  readonly totals = { changes: 0, parked: 0, dropped: 0, resumed: 0, snapshots: 0, overQuota: 0 };

  constructor(picture: Picture, options: WatchHubOptions) {
    const { clock, random, supervisor, flapHoldMs } = options;
    this.#picture = picture;
    this.#frames = new PictureFrames(picture);
    this.#clock = clock;
    this.#random = random;
    this.#supervisor = supervisor;
    this.#damper = new ChangeDamper(clock, flapHoldMs, (changes) => this.#fanOut(changes));
    this.#timer = clock.every(WATCH_PING_MS * 0.8, () => this.#ping());
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Services of which changes are held back now, and how many never went out by themselves. */
  get damped(): { readonly services: number; readonly coalesced: number } {
    return { services: this.#damper.size, coalesced: this.#damper.totals.coalesced };
  }

  /** The roll was read for the first time, or anew; its epoch may be another one. */
  relisted(changes: readonly ServiceChange[], hasLost: boolean): void {
    this.#fanOut(this.#damper.takeAll());
    this.#past.begin(this.#picture.revision, this.#picture.mark, hasLost);
    this.#fanOut(changes);
    this.#history.begin(this.#picture.revision);
    this.#frames.forget();
  }

  /** Entries of the log were applied: sends on what changed for it, that of endpoints that flap a little later. */
  publish(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void {
    for (const { revision, mark } of entries) this.#past.add(revision, mark);
    this.#fanOut(this.#damper.take(changes));
  }

  #fanOut(changes: readonly ServiceChange[]): void {
    for (const change of changes) {
      const mark = this.#past.markAt(change.resumeAfter);
      const sent = this.#history.add(sentChangeOf(change, mark));
      this.totals.changes++;
      const subscribers = this.#subscribers.of(change);
      if (subscribers.length === 0) continue;
      this.#queue.add({ frame: sent.frame, change: sent, subscribers });
    }
  }

  /** Whether a stream that has everything up to a revision needs no snapshots. */
  canResume(since: PastPosition): boolean {
    return !this.#past.isLost(since) && this.#history.reaches(since.revision);
  }

  /** Takes a stream on: what it missed, or snapshots; then every change. The picture must be loaded. */
  subscribe(
    stream: EventStream,
    interest: Interest,
    {
      since,
      owner,
    }: { readonly since?: PastPosition | undefined; readonly owner?: string | undefined },
  ): void {
    const subscription = { id: this.#random.hex(ID_BYTES), owner };
    const from = { revision: since?.revision ?? 0, place: this.#history.lastPlace };
    const subscriber = new Subscriber(stream, subscription, interest, from);
    const isLost = since !== undefined && this.#past.isLost(since);
    const missed = since === undefined || isLost ? undefined : this.#history.after(since.revision);
    if (missed === undefined) this.#sync(subscriber, since && { isLost });
    else this.#resume(subscriber, framesOf(this.#wanted(subscriber, missed)));
    this.#subscribers.add(subscriber);
    stream.onEnd(() => this.#subscribers.remove(subscriber));
  }

  /**
   * Takes further services up on a stream, all of its namespace when none is named: shows them, then their every change.
   * False = no stream of this name belongs to this owner and namespace.
   */
  extend({ id, owner }: Subscription, { namespace, services }: Interest): boolean {
    const subscriber = this.#subscribers.find(id);
    if (subscriber === undefined || subscriber.subscription.owner !== owner) return false;
    if (subscriber.namespace !== namespace) return false;
    const isWholeNow = this.#subscribers.extend(subscriber, services);
    if (subscriber.parkedAtMs === undefined && !subscriber.takesMore()) this.#park(subscriber);
    // What its reader has not taken must not grow by its asking for more.
    if (subscriber.parkedAtMs !== undefined) subscriber.isResyncDue = true;
    else if (services === undefined || isWholeNow) this.#resync(subscriber);
    else this.#show(subscriber, services);
    return true;
  }

  /** Tells every stream to move to another server. New ones are told at their first bookmark. */
  move(): void {
    this.#isMoving = true;
    this.#ping();
  }

  /** Ends every stream; twice without harm. */
  close(): void {
    this.#timer.cancel();
    this.#damper.close();
    for (const subscriber of this.#subscribers.all()) subscriber.stream.close();
  }

  #wanted(subscriber: Subscriber, missed: readonly PlacedChange[]): readonly PlacedChange[] {
    return missed.filter(
      (change) => !subscriber.has(change) && subscriber.wants(change.namespace, change.service),
    );
  }

  #resume(subscriber: Subscriber, frames: readonly Frame[]): void {
    this.totals.resumed++;
    for (const frame of frames) subscriber.stream.send(frame);
    const revision = Math.max(subscriber.fromRevision, this.#settledRevision);
    subscriber.stream.send(this.#bookmark(revision, subscriber));
  }

  /** Shows services that were just taken up, the rest of the stream going on as it is. */
  #show(subscriber: Subscriber, services: readonly string[]): void {
    const { stream, namespace } = subscriber;
    stream.send(encodeFrame('extended', { namespace, services }));
    subscriber.syncBytes = 0;
    for (const service of services) {
      this.#sendSnapshot(subscriber, { namespace, service });
      // Of what does not exist nothing is to be remembered: names come from outside.
      if (this.#picture.service(namespace, service) === undefined) continue;
      subscriber.shown(service, this.#picture.revision);
    }
    // Queued behind the changes that are on their way, because a bookmark says that they were sent.
    const frame = this.#bookmark(this.#settledRevision);
    this.#queue.add({ frame, change: undefined, subscribers: [subscriber] });
  }

  /** Shows everything that a stream is about now, which is more than it was told. */
  #resync(subscriber: Subscriber): void {
    const { namespace, services } = subscriber;
    const named = services === undefined ? {} : { services: [...services] };
    subscriber.isResyncDue = false;
    subscriber.stream.send(encodeFrame('extended', { namespace, ...named }));
    this.#sync(subscriber, undefined);
  }

  /** `compacted`: something was known before, and cannot be gone on from. */
  #sync(subscriber: Subscriber, compacted: { readonly isLost: boolean } | undefined): void {
    const { stream, namespace, services } = subscriber;
    // Snapshots show what is held back too.
    subscriber.shownAll(this.#picture.revision);
    if (compacted !== undefined) {
      const revision = String(this.#picture.revision);
      const reason = compacted.isLost
        ? 'the store lost what you know: snapshots follow'
        : 'what lies between is no longer known: snapshots follow';
      stream.send(encodeFrame('compacted', { revision, reason, ...compacted }));
    }
    subscriber.syncBytes = 0;
    const wanted =
      services === undefined
        ? this.#picture.servicesOf(namespace)
        : Array.from(services, (service) => ({ namespace, service }));
    for (const one of wanted) this.#sendSnapshot(subscriber, one);
    stream.send(this.#bookmark(subscriber.fromRevision, subscriber));
  }

  #sendSnapshot(
    subscriber: Subscriber,
    { namespace, service }: { readonly namespace: string; readonly service: string },
  ): void {
    const frame = this.#frames.snapshot(namespace, service);
    subscriber.syncBytes += frame.chunk.length;
    subscriber.stream.send(frame);
    this.totals.snapshots++;
  }

  /** Up to here watchers were sent everything. */
  get #settledRevision(): number {
    return Math.min(this.#picture.revision, this.#damper.settledRevision);
  }

  /** `subscriber`: the one whom it tells how its stream is named; undefined = it is for many. */
  #bookmark(revision: number, subscriber?: Subscriber): Frame {
    const mark = this.#past.markAt(revision) ?? '';
    const stream = subscriber?.subscription.id;
    return this.#frames.bookmark({ revision, mark, isMoving: this.#isMoving, stream });
  }

  #ping(): void {
    if (this.#subscribers.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    for (const subscriber of this.#subscribers.all()) {
      if (subscriber.parkedAtMs === undefined || nowMs - subscriber.parkedAtMs < PARKED_MS)
        continue;
      this.totals.dropped++;
      subscriber.stream.destroy();
    }
    const frame = this.#bookmark(this.#settledRevision);
    this.#queue.add({ frame, change: undefined, subscribers: [...this.#subscribers.all()] });
  }

  /** It has taken everything: what it missed meanwhile, or snapshots where that is no longer known. */
  #unpark(subscriber: Subscriber): void {
    const missed = this.#history.afterPlace(subscriber.sentPlace);
    subscriber.parkedAtMs = undefined;
    subscriber.sentPlace = this.#history.lastPlace;
    if (subscriber.isResyncDue) this.#resync(subscriber);
    else if (missed === undefined) this.#sync(subscriber, { isLost: false });
    // It has had nothing of these, so each is news to it.
    else
      this.#resume(
        subscriber,
        this.#wanted(subscriber, missed).map(({ frame }) => frame),
      );
  }

  /** One whose frame cannot be sent comes back and is told anew; the others go on. */
  #sendTo(subscriber: Subscriber, delivery: Delivery): void {
    try {
      this.#send(subscriber, delivery);
    } catch (error) {
      this.#supervisor.note('watch', error);
      subscriber.stream.destroy();
    }
  }

  #send(subscriber: Subscriber, { frame, change }: Delivery): void {
    if (subscriber.parkedAtMs !== undefined) return;
    if (change !== undefined) {
      if (change.place <= subscriber.sentPlace) return;
      subscriber.sentPlace = change.place;
      if (subscriber.has(change)) return;
    }
    subscriber.stream.send(frame);
    if (subscriber.isSlow()) this.#park(subscriber);
  }

  #park(subscriber: Subscriber): void {
    this.totals.parked++;
    subscriber.parkedAtMs = this.#clock.monotonicMs();
    subscriber.stream.onDrain(this.#supervisor.guard('watch', () => this.#unpark(subscriber)));
  }
}
