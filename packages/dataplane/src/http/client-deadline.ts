import { ClientState } from './client-state.ts';
import type { ExchangeServices, RequestPlace } from './exchange-services.ts';

/**
 * How long an unused connection may stay open when the server closes: long enough for a
 * request that is already on its way.
 */
const CLOSING_IDLE_MS = 500;

/** Limit of lingering, in multiples of the linger time, for a client that keeps sending after its last response. */
const LINGERS = 15;

/** Time by which a client must send something. */
export class ClientDeadline {
  readonly #services: ExchangeServices;
  readonly #place: Pick<RequestPlace, 'isClosing'>;
  /** On the plane's clock; 0 = no deadline. */
  #at = 0;
  /** The deadline is that of a head in progress, which further bytes do not extend. */
  #isOfHead = false;
  #lingerUntil = 0;

  constructor(services: ExchangeServices, place: Pick<RequestPlace, 'isClosing'>) {
    this.#services = services;
    this.#place = place;
  }

  get isSet(): boolean {
    return this.#at !== 0;
  }

  clear(): void {
    this.#at = 0;
    this.#isOfHead = false;
  }

  /** From the first byte of a head, or from the start of the connection. */
  expectHead(): void {
    if (this.#isOfHead) return;
    this.#isOfHead = true;
    this.#set(this.#services.timeouts.clientHeadMs);
  }

  expectFirstByte(): void {
    const { timeouts } = this.#services;
    this.#set(this.#place.isClosing ? CLOSING_IDLE_MS : timeouts.clientHeadMs);
  }

  expectBody(): void {
    this.#set(this.#services.timeouts.clientBodyIdleMs);
  }

  expectNextRequest(): void {
    const { timeouts, clock } = this.#services;
    // The clock was read when the request ended.
    this.#at =
      clock.recentMs + (this.#place.isClosing ? CLOSING_IDLE_MS : timeouts.clientKeepAliveMs);
  }

  /** The client sent its FIN; it may be gone completely. */
  expectAnswerSoon(): void {
    this.#set(this.#services.timeouts.halfCloseMs);
  }

  /** A response is being sent: meanwhile the client must not time out as silent. */
  noteAnswering(hasEnded: boolean, state: number): void {
    // A client that is gone completely answers the first bytes with a reset.
    if (hasEnded) this.clear();
    else if (state === ClientState.body) this.expectBody();
  }

  linger(): void {
    const { lingerMs } = this.#services.timeouts;
    this.#set(lingerMs);
    this.#lingerUntil = this.#at + lingerMs * (LINGERS - 1);
  }

  /** The client is still sending, so it may not have read its response yet. */
  keepLingering(): void {
    if (this.#at === 0) return;
    this.#set(this.#services.timeouts.lingerMs);
    this.#at = Math.min(this.#at, this.#lingerUntil);
  }

  /** Returns true once. */
  isDue(now: number): boolean {
    if (this.#at === 0 || now < this.#at) return false;
    this.#at = 0;
    return true;
  }

  #set(ms: number): void {
    this.#at = this.#services.clock.monotonicMs() + ms;
  }
}
