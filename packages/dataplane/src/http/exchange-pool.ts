import type { ClientPort, ExchangeServices, RequestPlace } from './exchange-services.ts';
import { Exchange } from './exchange.ts';

/** At most as many are kept: a burst of connections must not hold memory for ever. */
const MAX_KEPT = 512;

/** The exchanges of a server's clients. Each is a dozen objects, and most connections have one request. */
export class ExchangePool {
  readonly #services: ExchangeServices;
  readonly #kept: Exchange[] = [];

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  take(client: ClientPort, place: RequestPlace): Exchange {
    const exchange = this.#kept.pop() ?? new Exchange(this.#services);
    exchange.open(client, place);
    return exchange;
  }

  /** Its client is gone, and nothing else refers to it. */
  giveBack(exchange: Exchange): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(exchange);
  }
}
