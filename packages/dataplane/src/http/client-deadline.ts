import type { ExchangeServices } from './exchange-services.ts';

/** How long an unused connection may live on when the server closes: long enough for a request already on its way. */
const CLOSING_IDLE_MS = 500;

/** A client that goes on sending after its last answer is listened to for so many times the linger time. */
const LINGERS = 15;

/** Until when a client has to send something. */
export class ClientDeadline {
  readonly #services: ExchangeServices;
  /** On the clock of the plane; 0: nothing is expected of it. */
  #at = 0;
  /** It is that of a head under way, which further bytes do not move. */
  #isOfHead = false;
  #lingerUntil = 0;

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  get isSet(): boolean {
    return this.#at !== 0;
  }

  clear(): void {
    this.#at = 0;
    this.#isOfHead = false;
  }

  /** From the first byte of a head on, or from the connection's beginning. */
  expectHead(): void {
    if (this.#isOfHead) return;
    this.#isOfHead = true;
    this.#set(this.#services.timeouts.clientHeadMs);
  }

  expectFirstByte(): void {
    const { isClosing, timeouts } = this.#services;
    this.#set(isClosing ? CLOSING_IDLE_MS : timeouts.clientHeadMs);
  }

  expectBody(): void {
    this.#set(this.#services.timeouts.clientBodyIdleMs);
  }

  expectNextRequest(): void {
    const { isClosing, timeouts } = this.#services;
    this.#set(isClosing ? CLOSING_IDLE_MS : timeouts.clientKeepAliveMs);
  }

  /** It sent its FIN, and may have gone altogether. */
  expectAnswerSoon(): void {
    this.#set(this.#services.timeouts.halfCloseMs);
  }

  linger(): void {
    const { lingerMs } = this.#services.timeouts;
    this.#set(lingerMs);
    this.#lingerUntil = this.#at + lingerMs * (LINGERS - 1);
  }

  /** The client is still sending, so it may not have read its answer. */
  keepLingering(): void {
    if (this.#at === 0) return;
    this.#set(this.#services.timeouts.lingerMs);
    this.#at = Math.min(this.#at, this.#lingerUntil);
  }

  /** True once. */
  expire(now: number): boolean {
    if (this.#at === 0 || now < this.#at) return false;
    this.#at = 0;
    return true;
  }

  #set(ms: number): void {
    this.#at = this.#services.clock.monotonicMs() + ms;
  }
}
