import type { DatagramListener, DatagramPeer, Datagrams, PeerHandler } from '../io/datagrams.ts';
import { isLocalFault } from '../io/local-faults.ts';
import { type PortPlace, plainAddress } from '../model/port-service.ts';
import type { Target, TargetClient, TargetSnapshot } from '../model/target.ts';
import type { UdpCounters } from './udp-options.ts';

/** The client's side of a flow. */
export interface FlowOrigin {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly listener: DatagramListener;
  readonly place: PortPlace;
}

export interface FlowServices {
  readonly datagrams: Datagrams;
  readonly counters: UdpCounters;
}

const NONE: readonly Target[] = Object.freeze([]);

/**
 * The datagrams between one client address and port and one target, through a separate socket. The target is chosen at
 * the first datagram, and again at the next datagram after it has left the group or refused.
 */
export class UdpFlow implements TargetClient, PeerHandler {
  readonly clientAddress: string;
  readonly origin: FlowOrigin;
  /** Whether a datagram went in either direction since the last sweep. */
  isActive = true;
  idleSinceMs = 0;
  target: Target | undefined;
  readonly #services: FlowServices;
  #peer: DatagramPeer | undefined;
  #snapshot: TargetSnapshot | undefined;
  #refused: Target | undefined;
  #isConfirmed = false;

  constructor(origin: FlowOrigin, services: FlowServices) {
    this.clientAddress = plainAddress(origin.address);
    this.origin = origin;
    this.#services = services;
  }

  /** False: there is no target, and the datagram is lost. */
  send(bytes: Buffer): boolean {
    this.isActive = true;
    const snapshot = this.origin.place.service.group.snapshot();
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      if (this.target !== undefined && snapshot.holds?.(this.target) === false) this.#leave();
    }
    if (this.#peer === undefined && !this.#choose(snapshot)) return false;
    this.#peer!.send(bytes);
    return true;
  }

  onReply(bytes: Buffer): void {
    this.isActive = true;
    const { origin, target } = this;
    if (!this.#isConfirmed && target !== undefined) {
      this.#isConfirmed = true;
      this.#refused = undefined;
      origin.place.service.observer.onConnected(target);
    }
    this.#services.counters.datagramsToClients++;
    origin.listener.send(bytes, origin.address, origin.port);
  }

  onError(code: string): void {
    const { target } = this;
    if (target === undefined) return;
    if (isLocalFault(code)) {
      this.#leave();
      return;
    }
    this.#refused = target;
    target.counters.failures++;
    target.counters.connectFailures++;
    this.#services.counters.connectFailures++;
    this.#leave();
    this.origin.place.service.observer.onConnectFailed(target, code);
  }

  close(): void {
    this.#leave();
  }

  #choose(snapshot: TargetSnapshot): boolean {
    const tried = this.#refused === undefined ? NONE : [this.#refused];
    const target = snapshot.pick(tried, this) ?? snapshot.pick(NONE, this);
    if (target === undefined || this.#leadsBack(target)) return false;
    try {
      this.#peer = this.#services.datagrams.connect(target, this);
    } catch {
      return false;
    }
    this.target = target;
    this.#isConfirmed = false;
    target.begin();
    target.counters.connections++;
    return true;
  }

  /** Whether the target is the listener itself: a datagram would loop forever. */
  #leadsBack({ host, port }: Target): boolean {
    const { address } = this.origin.listener;
    return port === address.port && plainAddress(host) === plainAddress(address.host);
  }

  #leave(): void {
    this.#peer?.close();
    this.#peer = undefined;
    if (this.target !== undefined) this.target.end();
    this.target = undefined;
  }
}
