import { TIMED_OUT } from './attempt-failure.ts';
import type { Attempt } from './attempt.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ClientTunnel, ExchangeServices } from './exchange-services.ts';
import type { ResponseRelay } from './response-relay.ts';
import type { UpstreamOwner } from './upstream-connection.ts';

export interface TunnelOwner {
  readonly record: RequestRecord;
  /** The target ended it, as it may. */
  onTunnelClosed(): void;
  onTunnelBroken(reason: string): void;
}

export interface TunnelWays {
  readonly client: ClientPort;
  readonly relay: ResponseRelay;
  readonly attempt: Attempt;
}

/** Bytes to and fro, unread, after a switch of protocols. Has the target's connection in place of the exchange. */
export class Tunnel implements UpstreamOwner, ClientTunnel {
  readonly #client: ClientPort;
  readonly #relay: ResponseRelay;
  readonly #attempt: Attempt;
  readonly #services: ExchangeServices;
  readonly #owner: TunnelOwner;
  /** Silent for as long as it may be: sides that may still be taking what they were sent; 0: no doubt. */
  #doubtedSides = 0;

  constructor(ways: TunnelWays, services: ExchangeServices, owner: TunnelOwner) {
    this.#client = ways.client;
    this.#relay = ways.relay;
    this.#attempt = ways.attempt;
    this.#services = services;
    this.#owner = owner;
  }

  start(): void {
    this.#attempt.upstream!.owner = this;
    this.#restartIdle();
    this.#client.onTunnel(this);
  }

  onClientData(buffer: Buffer, start: number, end: number): void {
    if (this.#attempt.upstream === undefined) return;
    this.#owner.record.requestBytes += end - start;
    this.#restartIdle();
    if (!this.#attempt.write(buffer, start, end)) this.#client.pauseReading();
  }

  onClientDrain(): void {
    this.#relay.onClientDrain(this.#attempt.upstream);
    this.#restartIdle();
  }

  onClientEnd(): void {
    this.#attempt.upstream?.shutdown();
  }

  onClientTaking(): void {
    this.#restartIdle();
  }

  onClientHasAll(): void {
    this.onUpstreamHasAll();
  }

  onUpstreamOpen(): void {}

  onUpstreamData(buffer: Buffer, start: number, end: number): void {
    this.#restartIdle();
    this.#relay.send(this.#attempt.upstream, buffer, start, end);
  }

  onUpstreamDrain(): void {
    this.#restartIdle();
    this.#client.resumeReading();
  }

  onUpstreamEnd(): void {
    this.#client.shutdown();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    if (error === undefined) {
      this.#attempt.giveUp('answered', '');
      this.#owner.onTunnelClosed();
      return;
    }
    this.#attempt.giveUp('failed', error.code ?? error.message);
    this.#owner.onTunnelBroken('upstream_closed');
  }

  /** No bytes came for too long; but what went before may still be on its way to a slow reader. */
  onUpstreamDeadline(): void {
    if (this.#doubtedSides > 0) {
      this.onUpstreamStalled();
      return;
    }
    this.#doubtedSides = 2;
    this.#client.inquireSending();
    this.#attempt.inquireSending();
  }

  onUpstreamTaking(): void {
    this.#restartIdle();
  }

  /** One side has all that it was sent; when the other has too, nothing is on its way. */
  onUpstreamHasAll(): void {
    if (this.#doubtedSides > 0 && --this.#doubtedSides === 0) this.onUpstreamStalled();
  }

  onUpstreamStalled(): void {
    this.#attempt.giveUp(TIMED_OUT.outcome, TIMED_OUT.code);
    this.#owner.onTunnelBroken(TIMED_OUT.code);
  }

  #restartIdle(): void {
    this.#doubtedSides = 0;
    this.#attempt.expectBytesWithin(this.#services.timeouts.tunnelIdleMs);
  }
}
