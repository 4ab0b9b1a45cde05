import { WATCH_PING_MS } from '@rollcall/contract';
import type { Supervisor } from '@rollcall/daemon';
import type { Picture, ServiceChange, ServicePicture } from '../registry/picture.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import type { LogEntry } from '../store/log-entry.ts';
import { ChangeDamper } from './damper.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { ChangeHistory, framesOf, idOf, type PlacedChange, sentChangeOf } from './history.ts';
import { Past, type PastPosition } from './past.ts';
import type { EventStream } from './stream.ts';
import { Subscriber, type Interest } from './subscriber.ts';

/** How many subscribers get a frame before the event loop gets its turn. */
const SLICE = 500;

/** Changes kept for streams that resume. */
const HISTORY = 10_000;

/** A subscriber that took nothing for so long is dropped, in ms. */
const PARKED_MS = 30_000;

interface Delivery {
  readonly frame: Frame;
  /** Subscribers who have it already leave it out; undefined = all take it. */
  readonly change: PlacedChange | undefined;
  readonly subscribers: readonly Subscriber[];
}

export interface WatchHubOptions {
  readonly clock: Clock;
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
  readonly #supervisor: Supervisor;
  readonly #damper: ChangeDamper;
  readonly #history = new ChangeHistory(HISTORY);
  readonly #past = new Past(HISTORY * 2);
  readonly #byService = new Map<string, Set<Subscriber>>();
  readonly #all = new Set<Subscriber>();
  #snapshots = new WeakMap<ServicePicture, Frame>();
  readonly #timer: Timer;
  #deliveries: Delivery[] = [];
  #isDelivering = false;
  #isMoving = false;
  readonly totals = { changes: 0, parked: 0, dropped: 0, resumed: 0, snapshots: 0, overQuota: 0 };

  constructor(picture: Picture, { clock, supervisor, flapHoldMs }: WatchHubOptions) {
    this.#picture = picture;
    this.#clock = clock;
    this.#supervisor = supervisor;
    this.#damper = new ChangeDamper(clock, flapHoldMs, (changes) => this.#fanOut(changes));
    this.#timer = clock.every(WATCH_PING_MS * 0.8, () => this.#ping());
  }

  get size(): number {
    return this.#all.size;
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
    this.#snapshots = new WeakMap();
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
      const subscribers = [
        ...(this.#byService.get(`${change.namespace}/${change.service}`) ?? []),
        ...(this.#byService.get(`${change.namespace}/`) ?? []),
        ...(this.#byService.get('*/') ?? []),
      ];
      if (subscribers.length === 0) continue;
      this.#deliver({ frame: sent.frame, change: sent, subscribers });
    }
  }

  /** Whether a stream that has everything up to a revision needs no snapshots. */
  canResume(since: PastPosition): boolean {
    return !this.#past.isLost(since) && this.#history.reaches(since.revision);
  }

  /** Takes a stream on: what it missed, or snapshots; then every change. The picture must be loaded. */
  subscribe(stream: EventStream, interest: Interest, since: PastPosition | undefined): void {
    const from = { revision: since?.revision ?? 0, place: this.#history.lastPlace };
    const subscriber = new Subscriber(stream, interest, from);
    const isLost = since !== undefined && this.#past.isLost(since);
    const missed = since === undefined || isLost ? undefined : this.#history.after(since.revision);
    if (missed === undefined) this.#sync(subscriber, since && { isLost });
    else this.#resume(subscriber, framesOf(this.#wanted(subscriber, missed)));
    const keys = [...subscriber.keys()];
    for (const key of keys) {
      const set = this.#byService.get(key) ?? new Set();
      this.#byService.set(key, set.add(subscriber));
    }
    this.#all.add(subscriber);
    stream.onEnd(() => {
      this.#all.delete(subscriber);
      for (const key of keys) {
        const set = this.#byService.get(key);
        set?.delete(subscriber);
        if (set?.size === 0) this.#byService.delete(key);
      }
    });
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
    for (const subscriber of this.#all) subscriber.stream.close();
  }

  #wanted(subscriber: Subscriber, missed: readonly PlacedChange[]): readonly PlacedChange[] {
    return missed.filter(
      ({ namespace, service, revision }) =>
        revision > subscriber.fromRevision && subscriber.wants(namespace, service),
    );
  }

  #resume({ fromRevision, stream }: Subscriber, frames: readonly Frame[]): void {
    this.totals.resumed++;
    for (const frame of frames) stream.send(frame);
    stream.send(this.#bookmark(Math.max(fromRevision, this.#settledRevision)));
  }

  /** `compacted`: something was known before, and cannot be gone on from. */
  #sync(subscriber: Subscriber, compacted: { readonly isLost: boolean } | undefined): void {
    const { stream, interest } = subscriber;
    // Snapshots show what is held back too.
    subscriber.fromRevision = this.#picture.revision;
    if (compacted !== undefined) {
      const revision = String(this.#picture.revision);
      const reason = compacted.isLost
        ? 'the store lost what you know: snapshots follow'
        : 'what lies between is no longer known: snapshots follow';
      stream.send(encodeFrame('compacted', { revision, reason, ...compacted }));
    }
    subscriber.syncBytes = 0;
    const { namespace, services } = interest;
    const wanted =
      services?.map((service) => ({ namespace, service })) ?? this.#picture.servicesOf(namespace);
    for (const one of wanted) {
      const frame = this.#snapshotOf(one.namespace, one.service);
      subscriber.syncBytes += frame.chunk.length;
      stream.send(frame);
      this.totals.snapshots++;
    }
    stream.send(this.#bookmark(subscriber.fromRevision));
  }

  /** Up to here watchers were sent everything. */
  get #settledRevision(): number {
    return Math.min(this.#picture.revision, this.#damper.settledRevision);
  }

  #snapshotOf(namespace: string, service: string): Frame {
    const { revision: now, epoch } = this.#picture;
    const known = this.#picture.service(namespace, service);
    const cached = known && this.#snapshots.get(known);
    if (cached !== undefined) return cached;
    const revision = known?.revision ?? now;
    const { declared = null, endpoints = [] } = known ?? {};
    const data = { namespace, service, revision: String(revision), epoch, declared, endpoints };
    // No id: a stream that breaks between two snapshots must not resume as if it had them all.
    const frame = encodeFrame('snapshot', data);
    if (known !== undefined) this.#snapshots.set(known, frame);
    return frame;
  }

  #bookmark(revision: number): Frame {
    const { epoch } = this.#picture;
    const data = {
      revision: String(revision),
      epoch,
      synced: true,
      applied: String(this.#picture.revision),
      mark: this.#past.markAt(revision) ?? '',
      storeAgeMs: this.#picture.ageMs(),
      moving: this.#isMoving,
    };
    return encodeFrame('bookmark', data, idOf(revision, data.mark));
  }

  #ping(): void {
    if (this.#all.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    for (const subscriber of this.#all) {
      if (subscriber.parkedAtMs === undefined || nowMs - subscriber.parkedAtMs < PARKED_MS)
        continue;
      this.totals.dropped++;
      subscriber.stream.destroy();
    }
    const frame = this.#bookmark(this.#settledRevision);
    this.#deliver({ frame, change: undefined, subscribers: [...this.#all] });
  }

  #deliver(delivery: Delivery): void {
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
      for (; at < to; at++) this.#sendTo(delivery.subscribers[at] as Subscriber, delivery);
      if (at < delivery.subscribers.length) {
        setImmediate(() => this.#run(at));
        return;
      }
      this.#deliveries.shift();
      at = 0;
    }
    this.#isDelivering = false;
  }

  /** It has taken everything: what it missed meanwhile, or snapshots where that is no longer known. */
  #unpark(subscriber: Subscriber): void {
    const missed = this.#history.afterPlace(subscriber.sentPlace);
    subscriber.parkedAtMs = undefined;
    subscriber.sentPlace = this.#history.lastPlace;
    if (missed === undefined) this.#sync(subscriber, { isLost: false });
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
      if (change.revision <= subscriber.fromRevision) return;
    }
    subscriber.stream.send(frame);
    if (!subscriber.isSlow()) return;
    this.totals.parked++;
    subscriber.parkedAtMs = this.#clock.monotonicMs();
    subscriber.stream.onDrain(this.#supervisor.guard('watch', () => this.#unpark(subscriber)));
  }
}
