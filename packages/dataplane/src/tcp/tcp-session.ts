import { isLocalFault } from '../io/local-faults.ts';
import type { QueueWatch } from '../io/queue-watch.ts';
import { SendWatch, type SendWatchOwner } from '../io/send-watch.ts';
import type { Connection, ConnectionHandler, Transport } from '../io/transport.ts';
import { type PortService, type RefusalReason, plainAddress } from '../model/port-service.ts';
import type { Clock } from '@rollcall/runtime';
import type { Target, TargetClient } from '../model/target.ts';
import type { TcpCounters, TcpOptions } from './tcp-options.ts';
import { TcpUpstream, type UpstreamListener } from './tcp-upstream.ts';

/** Shared by the sessions of one plane. */
export interface TcpServices {
  readonly options: TcpOptions;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly queueWatch: QueueWatch;
  readonly counters: TcpCounters;
  readonly onGone: (session: TcpSession) => void;
}

const NONE: readonly Target[] = Object.freeze([]);
const NO_WATCHES: readonly SendWatch[] = Object.freeze([]);

/**
 * One client and the target that it is connected to. Nothing is read from the client until the target is connected, so
 * a target that cannot be connected to has seen nothing and another may replace it. From then on bytes pass in both
 * directions, and an end or a reset on one side is passed on to the other.
 */
export class TcpSession
  implements ConnectionHandler, UpstreamListener, TargetClient, SendWatchOwner
{
  readonly clientAddress: string;
  readonly #client: Connection;
  readonly #service: PortService;
  readonly #shared: TcpServices;
  #upstream: TcpUpstream | undefined;
  #tried: readonly Target[] = NONE;
  /** On the plane's clock: first of the connect, later of silence; Infinity = none. */
  #deadline = Number.POSITIVE_INFINITY;
  #isActive = false;
  /** This machine could not open a connection: the target is not to blame. */
  #isShort = false;
  #doubtedSides = 0;
  /** Of both sides, once there were no bytes for too long. */
  #watches: readonly SendWatch[] = NO_WATCHES;
  #hasClientEnded = false;
  #hasUpstreamEnded = false;
  #isClientOpen = true;
  #isUpstreamOpen = false;

  constructor(client: Connection, service: PortService, shared: TcpServices) {
    this.clientAddress = plainAddress(client.remoteAddress);
    this.#client = client;
    this.#service = service;
    this.#shared = shared;
  }

  /** The target of the connection or of the connect in progress. */
  get target(): Target | undefined {
    return this.#upstream?.target;
  }

  start(): void {
    if (this.#service.admits?.(this.clientAddress) === false) {
      this.refuse('denied');
      return;
    }
    this.#client.pause();
    this.#connect();
  }

  refuse(reason: RefusalReason): void {
    this.#shared.counters.refused++;
    this.#service.observer.onRefused(reason);
    this.#client.abort();
  }

  abort(): void {
    this.#client.abort();
    if (this.#isUpstreamOpen) this.#upstream!.abort();
    else this.#giveUp();
  }

  checkDeadlines(now: number): void {
    if (this.#isActive) {
      this.#isActive = false;
      this.#deadline = now + this.#shared.options.idleMs;
      this.#watches = NO_WATCHES;
    }
    for (const watch of this.#watches) watch.checkDeadlines(now);
    if (now < this.#deadline) return;
    if (this.#upstream?.isOpen === false) this.#failConnect('timeout');
    else if (this.#watches === NO_WATCHES && this.#isUpstreamOpen) this.#doubt(now);
    else this.abort();
  }

  onPeerTaking(): void {
    this.#isActive = true;
  }

  onPeerHasAll(): void {
    if (this.#watches === NO_WATCHES || this.#isActive) return;
    if (--this.#doubtedSides === 0) this.abort();
  }

  /** Only the idle timeout decides here. */
  onPeerStalled(): void {}

  onData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#noteActivity();
    this.#shared.counters.bytesFromClients += end - start;
    if (!upstream.write(buffer, start, end)) this.#client.pause();
  }

  onDrain(): void {
    if (this.#isUpstreamOpen) this.#upstream!.resume();
  }

  onEnd(): void {
    this.#hasClientEnded = true;
    if (this.#isUpstreamOpen) this.#upstream!.shutdown();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    this.#isClientOpen = false;
    if (!this.#isUpstreamOpen) this.#giveUp();
    else if (error !== undefined || !this.#hasBothEnded) this.#upstream!.abort();
    this.#finish();
  }

  onUpstreamOpen(): void {
    const { options, clock } = this.#shared;
    const { target } = this.#upstream!;
    this.#isUpstreamOpen = true;
    target.counters.connections++;
    this.#service.observer.onConnected(target);
    const { idleMs } = options;
    this.#deadline = idleMs > 0 ? clock.monotonicMs() + idleMs : Number.POSITIVE_INFINITY;
    if (this.#hasClientEnded) this.#upstream!.shutdown();
    this.#client.resume();
  }

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    this.#noteActivity();
    this.#shared.counters.bytesToClients += end - start;
    if (!this.#client.write(buffer, start, end)) this.#upstream!.pause();
  }

  onUpstreamDrain(): void {
    this.#client.resume();
  }

  onUpstreamEnd(): void {
    this.#hasUpstreamEnded = true;
    this.#client.shutdown();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    if (!this.#isUpstreamOpen) {
      this.#failConnect(error?.code ?? 'closed');
      return;
    }
    const { target } = this.#upstream!;
    this.#isUpstreamOpen = false;
    this.#upstream = undefined;
    target.end();
    if (error !== undefined || !this.#hasBothEnded) this.#client.abort();
    this.#finish();
  }

  get #hasBothEnded(): boolean {
    return this.#hasClientEnded && this.#hasUpstreamEnded;
  }

  /** The idle timeout has passed, but earlier bytes may still be on their way to a slow reader. */
  #doubt(now: number): void {
    const { queueWatch } = this.#shared;
    const ends = [this.#client, this.#upstream!.connection];
    this.#watches = ends.map((connection) => new SendWatch(connection, queueWatch, this));
    this.#doubtedSides = ends.length;
    this.#deadline = now + queueWatch.reprieveMs;
    for (const watch of this.#watches) watch.inquire();
  }

  #noteActivity(): void {
    if (this.#shared.options.idleMs > 0) this.#isActive = true;
  }

  #connect(): void {
    const { options, transport, clock } = this.#shared;
    for (;;) {
      const isOver = this.#tried.length >= options.attempts;
      const target = isOver ? undefined : this.#service.group.snapshot().pick(this.#tried, this);
      if (target === undefined) {
        this.refuse(this.#refusalReason());
        return;
      }
      target.begin();
      target.counters.requests++;
      this.#upstream = new TcpUpstream(target, this);
      this.#deadline = clock.monotonicMs() + options.connectMs;
      if (this.#leadsBack(target)) {
        this.#noteFailure('loop');
        continue;
      }
      try {
        this.#upstream.connect(transport);
        return;
      } catch (error) {
        // An invalid port or host.
        this.#noteFailure((error as NodeJS.ErrnoException).code ?? 'invalid');
      }
    }
  }

  /** Whether the target is the listener itself: one connection would create connections up to the limit. */
  #leadsBack({ host, port }: Target): boolean {
    const { localAddress, localPort } = this.#client;
    return port === localPort && plainAddress(host) === plainAddress(localAddress);
  }

  #refusalReason(): RefusalReason {
    if (this.#isShort) return 'limit';
    return this.#tried.length === 0 ? 'no_target' : 'all_failed';
  }

  #failConnect(reason: string): void {
    if (this.#upstream === undefined) return;
    if (isLocalFault(reason)) {
      this.#tried = [...this.#tried, this.#upstream.target];
      this.#isShort = true;
      this.#giveUp();
    } else {
      this.#noteFailure(reason);
    }
    this.#connect();
  }

  #noteFailure(reason: string): void {
    const upstream = this.#upstream!;
    const { target } = upstream;
    this.#giveUp();
    target.counters.failures++;
    target.counters.connectFailures++;
    this.#shared.counters.connectFailures++;
    this.#tried = [...this.#tried, target];
    this.#service.observer.onConnectFailed(target, reason);
  }

  /** Gives up a target that is not connected yet. */
  #giveUp(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    upstream.target.end();
    upstream.giveUp();
  }

  #finish(): void {
    if (!this.#isClientOpen && this.#upstream === undefined) this.#shared.onGone(this);
  }
}
