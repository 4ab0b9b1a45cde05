import { type InstanceKey, WATCH_PING_MS } from '@rollcall/contract';
import type { Supervisor } from '@rollcall/daemon';
import type { Clock, Random, Timer } from '@rollcall/runtime';
import type { Picture, ServiceChange } from '../picture/picture.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { ChangeDamper } from './damper.ts';
import { type Delivery, DeliveryQueue } from './delivery-queue.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { ChangeHistory, framesOf, type PlacedChange, sentChangeOf } from './history.ts';
import { LogDigests, type LogPosition } from './log-digests.ts';
import { PictureFrames } from './picture-frames.ts';
import type { EventStream } from './stream.ts';
import { type Interest, Subscriber, type Subscription } from './subscriber.ts';
import { SubscriberIndex } from './subscriber-index.ts';

/** Changes kept for streams that resume. */
const HISTORY = 10_000;

/** Random bytes in the id of a stream. */
const ID_BYTES = 16;

/** A parked subscriber that has not read its backlog after this time is dropped, in ms. */
const PARKED_MS = 30_000;

/** How a stream begins. */
interface Joining {
  /** Where it resumes. */
  readonly since?: LogPosition | undefined;
  readonly owner?: string | undefined;
  readonly acknowledges?: boolean | undefined;
}

export interface WatchHubOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly supervisor: Supervisor;
  /** How long changes of a flapping endpoint are held back, in ms; 0 = not at all. */
  readonly flapHoldMs: number;
  /** Called once for each instance that drains, when all watchers of this server know it. */
  readonly onSeen: (instance: InstanceKey, revision: number) => void;
}

/**
 * Fans changes out to the watch streams. Each event is encoded once and shared; delivery runs in slices, in the order
 * of the log. A slow subscriber is parked and resynced later, so it does not delay the others.
 */
export class WatchHub {
  readonly #picture: Picture;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #supervisor: Supervisor;
  readonly #damper: ChangeDamper;
  readonly #history = new ChangeHistory(HISTORY);
  readonly #digests = new LogDigests(HISTORY * 2);
  readonly #subscribers = new SubscriberIndex();
  readonly acknowledgements: Acknowledgements;
  readonly #queue = new DeliveryQueue((subscriber, delivery) => this.#sendTo(subscriber, delivery));
  readonly #frames: PictureFrames;
  readonly #timer: Timer;
  #isMoving = false;
  readonly totals = { changes: 0, parked: 0, dropped: 0, resumed: 0, snapshots: 0, overQuota: 0 };

  constructor(picture: Picture, options: WatchHubOptions) {
    const { clock, random, supervisor, flapHoldMs, onSeen } = options;
    this.#picture = picture;
    this.#frames = new PictureFrames(picture);
    this.#clock = clock;
    this.#random = random;
    this.#supervisor = supervisor;
    this.#damper = new ChangeDamper(clock, flapHoldMs, (changes) => this.#fanOut(changes));
    const subscribersOf = (service: ServiceChange) => this.#subscribers.subscribersOf(service);
    this.acknowledgements = new Acknowledgements({ subscribersOf, onSeen });
    this.#timer = clock.every(WATCH_PING_MS * 0.8, () => this.#ping());
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Services with changes held back now, and how many changes were merged into later ones. */
  get damped(): { readonly services: number; readonly coalesced: number } {
    return { services: this.#damper.size, coalesced: this.#damper.totals.coalesced };
  }

  /** The roll was read, for the first time or again. Its epoch may be new. */
  relisted(changes: readonly ServiceChange[], hasLost: boolean): void {
    this.#fanOut(this.#damper.takeAll());
    this.#digests.restartAt(this.#picture.revision, this.#picture.digest, hasLost);
    this.#fanOut(changes);
    this.acknowledgements.relisted(this.#picture.roll?.draining() ?? [], changes);
    this.#history.restartAt(this.#picture.revision);
    this.#frames.clear();
  }

  /** Entries of the log were applied: sends the resulting changes, those of flapping endpoints a little later. */
  publish(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void {
    for (const { revision, digest } of entries) this.#digests.add(revision, digest);
    this.acknowledgements.publish(entries, changes);
    this.#fanOut(this.#damper.admit(changes));
  }

  #fanOut(changes: readonly ServiceChange[]): void {
    for (const change of changes) {
      const digest = this.#digests.digestAt(change.resumeAfter);
      const sent = this.#history.add(sentChangeOf(change, digest));
      this.totals.changes++;
      const subscribers = this.#subscribers.subscribersOf(change);
      if (subscribers.length === 0) continue;
      this.#queue.add({ frame: sent.frame, change: sent, subscribers });
      this.acknowledgements.sent(change, subscribers);
    }
  }

  /** Whether a stream with everything up to a revision can go on without snapshots. */
  canResume(since: LogPosition): boolean {
    return !this.#digests.isLost(since) && this.#history.reaches(since.revision);
  }

  /** Adds a stream: sends what it missed, or snapshots, and then every change. The picture must be loaded. */
  subscribe(
    stream: EventStream,
    interest: Interest,
    { since, owner, acknowledges = false }: Joining,
  ): void {
    const subscription = { id: this.#random.hex(ID_BYTES), owner, acknowledges };
    const from = { revision: since?.revision ?? 0, place: this.#history.lastPlace };
    const subscriber = new Subscriber(stream, subscription, interest, from);
    const isLost = since !== undefined && this.#digests.isLost(since);
    const missed = since === undefined || isLost ? undefined : this.#history.after(since.revision);
    if (missed === undefined) this.#sync(subscriber, since && { isLost });
    else this.#resume(subscriber, framesOf(this.#wanted(subscriber, missed)));
    this.#subscribers.add(subscriber);
    this.acknowledgements.joined(subscriber);
    stream.onEnd(() => {
      this.#subscribers.remove(subscriber);
      this.acknowledgements.left(subscriber);
    });
  }

  /** A watcher has applied everything up to a revision. Ignored when this owner has no such stream. */
  acknowledge(of: Subscription, revision: number): void {
    const subscriber = this.#subscribers.find(of);
    if (subscriber !== undefined) this.acknowledgements.acknowledged(subscriber, revision);
  }

  /**
   * Adds services to a stream, or its whole namespace when none is named: sends their snapshots, then every change.
   * False = this owner has no stream with this id and namespace.
   */
  extend(of: Subscription, { namespace, services }: Interest): boolean {
    const subscriber = this.#subscribers.find(of);
    if (subscriber?.namespace !== namespace) return false;
    const isWholeNow = this.#subscribers.extend(subscriber, services);
    if (subscriber.parkedAtMs === undefined && !subscriber.takesMore()) this.#park(subscriber);
    // A slow reader must not make its own backlog grow by asking for more.
    if (subscriber.parkedAtMs !== undefined) subscriber.isResyncDue = true;
    else if (services === undefined || isWholeNow) this.#resync(subscriber);
    else this.#show(subscriber, services);
    return true;
  }

  /** Tells every stream to move to another server. A new stream is told in its first bookmark. */
  move(): void {
    this.acknowledgements.close();
    this.#isMoving = true;
    this.#ping();
  }

  /** Ends every stream. May be called twice. */
  close(): void {
    this.acknowledgements.close();
    this.#timer.cancel();
    this.#damper.close();
    for (const subscriber of this.#subscribers.all()) subscriber.stream.close();
  }

  #wanted(subscriber: Subscriber, missed: readonly PlacedChange[]): readonly PlacedChange[] {
    return missed.filter(
      (change) => !subscriber.hasSeen(change) && subscriber.wants(change.namespace, change.service),
    );
  }

  #resume(subscriber: Subscriber, frames: readonly Frame[]): void {
    this.totals.resumed++;
    for (const frame of frames) subscriber.stream.send(frame);
    const revision = Math.max(subscriber.fromRevision, this.#settledRevision);
    subscriber.stream.send(this.#bookmark(revision, subscriber));
  }

  /** Sends snapshots of newly added services. The rest of the stream is not affected. */
  #show(subscriber: Subscriber, services: readonly string[]): void {
    const { stream, namespace } = subscriber;
    stream.send(encodeFrame('extended', { namespace, services }));
    subscriber.syncBytes = 0;
    for (const service of services) {
      this.#sendSnapshot(subscriber, { namespace, service });
      // Store nothing about a service that does not exist: names come from outside.
      if (this.#picture.service(namespace, service) === undefined) continue;
      subscriber.shown(service, this.#picture.revision);
    }
    // Queued behind the changes on their way, because a bookmark says that they were sent.
    const frame = this.#bookmark(this.#settledRevision);
    this.#queue.add({ frame, change: undefined, subscribers: [subscriber] });
  }

  /** Sends everything that the stream now covers, which is more than it was sent before. */
  #resync(subscriber: Subscriber): void {
    const { namespace, services } = subscriber;
    const named = services === undefined ? {} : { services: [...services] };
    subscriber.isResyncDue = false;
    subscriber.stream.send(encodeFrame('extended', { namespace, ...named }));
    this.#sync(subscriber, undefined);
  }

  /** `compacted`: the stream had a position, but cannot resume from it. */
  #sync(subscriber: Subscriber, compacted: { readonly isLost: boolean } | undefined): void {
    const { stream, namespace, services } = subscriber;
    // Snapshots also show the changes that are held back.
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
    const frame = this.#frames.snapshotFrame(namespace, service);
    subscriber.syncBytes += frame.chunk.length;
    subscriber.stream.send(frame);
    this.totals.snapshots++;
  }

  /** Watchers were sent everything up to here. */
  get #settledRevision(): number {
    return Math.min(this.#picture.revision, this.#damper.settledRevision);
  }

  /** `subscriber`: the only receiver, which learns the id of its stream; undefined = for many. */
  #bookmark(revision: number, subscriber?: Subscriber): Frame {
    const digest = this.#digests.digestAt(revision) ?? '';
    const stream = subscriber?.subscription.id;
    return this.#frames.bookmark({ revision, digest, isMoving: this.#isMoving, stream });
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

  /** The reader has caught up: sends what it missed meanwhile, or snapshots if the history no longer has that. */
  #unpark(subscriber: Subscriber): void {
    const missed = this.#history.afterPlace(subscriber.sentPlace);
    subscriber.parkedAtMs = undefined;
    subscriber.sentPlace = this.#history.lastPlace;
    if (subscriber.isResyncDue) this.#resync(subscriber);
    else if (missed === undefined) this.#sync(subscriber, { isLost: false });
    // It received none of these, so none is left out as already seen.
    else
      this.#resume(
        subscriber,
        this.#wanted(subscriber, missed).map(({ frame }) => frame),
      );
  }

  /** If a frame cannot be sent, only that stream is closed; its client reconnects and gets everything again. */
  #sendTo(subscriber: Subscriber, delivery: Delivery): void {
    try {
      this.#send(subscriber, delivery);
    } catch (error) {
      this.#supervisor.report('watch', error);
      subscriber.stream.destroy();
    }
  }

  #send(subscriber: Subscriber, { frame, change }: Delivery): void {
    if (subscriber.parkedAtMs !== undefined) return;
    if (change !== undefined) {
      if (change.place <= subscriber.sentPlace) return;
      subscriber.sentPlace = change.place;
      if (subscriber.hasSeen(change)) return;
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
