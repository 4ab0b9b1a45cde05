import { TIMED_OUT } from './attempt-failure.ts';
import type { Attempt } from './attempt.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ClientPort, ClientTunnel, ExchangeServices } from './exchange-services.ts';
import type { ResponseRelay } from './response-relay.ts';
import type { UpstreamOwner } from './upstream-connection.ts';

export interface TunnelOwner {
  readonly record: RequestRecord;
  /** The target ended the tunnel, which is not an error. */
  onTunnelClosed(): void;
  onTunnelBroken(reason: string): void;
}

export interface TunnelWays {
  readonly client: ClientPort;
  readonly relay: ResponseRelay;
  readonly attempt: Attempt;
}

/**
 * Passes bytes in both directions without parsing them, after a switch of protocols. Takes over the
 * target's connection from the exchange.
 */
export class Tunnel implements UpstreamOwner, ClientTunnel {
  readonly #client: ClientPort;
  readonly #relay: ResponseRelay;
  readonly #attempt: Attempt;
  readonly #services: ExchangeServices;
  readonly #owner: TunnelOwner;
  /** After the idle timeout: number of sides that may still be taking the bytes sent to them; 0 = no doubt. */
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

  /** The idle timeout has passed, but earlier bytes may still be on their way to a slow reader. */
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

  /** One side has taken everything; when the other side has too, nothing is in transit. */
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
