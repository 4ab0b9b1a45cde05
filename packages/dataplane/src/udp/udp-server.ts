import type { DatagramHandler, DatagramListener, Datagrams } from '../io/datagrams.ts';
import type { Address, Listener } from '../io/transport.ts';
import { type PortPlace, plainAddress } from '../model/port-service.ts';
import type { Clock, Timer } from '@rollcall/runtime';
import { UdpFlow } from './udp-flow.ts';
import { type UdpCounters, type UdpOptions, createUdpCounters } from './udp-options.ts';

export interface UdpRuntime {
  readonly datagrams: Datagrams;
  readonly clock: Clock;
}

const SWEEP_MS = 1_000;

/** Number of flows checked to find one that can make room. */
const LOOKED_AT = 8;

/**
 * Forwards the datagrams of each client address and port to one target of their listener's group, and its replies back.
 */
export class UdpServer {
  readonly counters: UdpCounters = createUdpCounters();
  readonly #options: UdpOptions;
  readonly #runtime: UdpRuntime;
  /** Ordered by their start, or by when they were last found busy while room was needed. */
  readonly #flows = new Map<string, UdpFlow>();
  readonly #listeners = new Set<Listener>();
  readonly #sweepTimer: Timer;
  #opened = 0;
  #isClosed = false;

  constructor(options: UdpOptions, runtime: UdpRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#sweepTimer = runtime.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** @throws the system's error when the address cannot be bound. */
  async listen(address: Address, place: PortPlace): Promise<Listener> {
    const intake = new UdpIntake(this, place, this.#opened++);
    const bound = await this.#runtime.datagrams.bind(address, intake);
    intake.listener = bound;
    const own: Listener = {
      address: bound.address,
      close: async () => {
        if (!this.#listeners.delete(own)) return;
        bound.close();
        this.#endFlows((flow) => flow.origin.listener === bound);
      },
    };
    this.#listeners.add(own);
    if (this.#isClosed) await own.close();
    return own;
  }

  /** Handles one datagram of a client. */
  receive(intake: UdpIntake, bytes: Buffer, from: Address): void {
    this.counters.datagramsFromClients++;
    const key = `${intake.id}/${from.host}/${from.port}`;
    const flow = this.#flows.get(key) ?? this.#begin(intake, from, key);
    if (flow === undefined) {
      this.counters.dropped++;
    } else if (!flow.send(bytes)) {
      this.counters.dropped++;
      intake.place.service.observer.onRefused('no_target');
      this.#end(flow);
    }
  }

  /** Ends all flows at once: replies cannot be sent from a released port. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweepTimer.cancel();
    await Promise.all(Array.from(this.#listeners, (listener) => listener.close()));
  }

  #begin(intake: UdpIntake, from: Address, key: string): UdpFlow | undefined {
    const { listener, place } = intake;
    const { admits, observer } = place.service;
    if (listener === undefined) return undefined;
    if (admits?.(plainAddress(from.host)) === false) {
      observer.onRefused('denied');
      return undefined;
    }
    if (this.#flows.size >= this.#options.flows && !this.#makeRoom()) {
      observer.onRefused('limit');
      return undefined;
    }
    const origin = { key, address: from.host, port: from.port, listener, place };
    const { datagrams } = this.#runtime;
    const flow = new UdpFlow(origin, { datagrams, counters: this.counters });
    this.#flows.set(key, flow);
    this.counters.flows++;
    this.counters.flowsStarted++;
    return flow;
  }

  /** Flows that were busy since the last sweep get a second chance; the first one that was not is ended. */
  #makeRoom(): boolean {
    let looks = 0;
    for (const [key, flow] of this.#flows) {
      if (!flow.isActive) {
        this.#end(flow);
        return true;
      }
      this.#flows.delete(key);
      this.#flows.set(key, flow);
      if (++looks === LOOKED_AT) return false;
    }
    return false;
  }

  #sweep(): void {
    const now = this.#runtime.clock.monotonicMs();
    for (const flow of this.#flows.values()) {
      if (flow.isActive) {
        flow.isActive = false;
        flow.idleSinceMs = now;
      } else if (now - flow.idleSinceMs >= this.#options.idleMs) {
        this.#end(flow);
      }
    }
  }

  #endFlows(isOver: (flow: UdpFlow) => boolean): void {
    for (const flow of this.#flows.values()) if (isOver(flow)) this.#end(flow);
  }

  #end(flow: UdpFlow): void {
    if (!this.#flows.delete(flow.origin.key)) return;
    this.counters.flows--;
    flow.close();
  }
}

/** One bound address. */
class UdpIntake implements DatagramHandler {
  readonly id: number;
  readonly place: PortPlace;
  listener: DatagramListener | undefined;
  readonly #server: UdpServer;

  constructor(server: UdpServer, place: PortPlace, id: number) {
    this.#server = server;
    this.place = place;
    this.id = id;
  }

  onDatagram(bytes: Buffer, host: string, port: number): void {
    this.#server.receive(this, bytes, { host, port });
  }
}
