import type { Endpoint } from '@rollcall/contract';
import type { Candidate } from '../order/candidate.ts';

/**
 * One endpoint as something that takes calls or connections: the same object for as long as the same instance stands at
 * the same address, so connections and counts can hang on it.
 */
export class PoolTarget implements Candidate {
  readonly id: string;
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  endpoint: Endpoint;
  weight: number;
  tier: 0 | 1;
  /** It failed after it last succeeded: only then is a success news. */
  hasFailed = false;
  #inFlight = 0;

  constructor(endpoint: Endpoint) {
    this.id = endpoint.id;
    this.instance = endpoint.instance;
    this.host = endpoint.address;
    this.port = endpoint.port;
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.tier = endpoint.tier ?? 0;
  }

  /** Calls, connections or flows under way on it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** One more is under way; whoever calls it calls {@link end} once. */
  begin(): void {
    this.#inFlight++;
  }

  end(): void {
    this.#inFlight--;
  }

  isAt({ address, port, instance }: Endpoint): boolean {
    return this.host === address && this.port === port && this.instance === instance;
  }

  /** Takes over what changed of the endpoint. Its address cannot change: that would be another target. */
  update(endpoint: Endpoint): void {
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.tier = endpoint.tier ?? 0;
  }
}
