import type { Endpoint } from '@rollcall/contract';
import type { Candidate } from '../order/candidate.ts';
import { TargetTraffic } from './target-traffic.ts';

/**
 * One endpoint as a target of calls or connections. The object stays the same for as long as the same instance is at
 * the same address, so connections and counters can be attached to it.
 */
export class PoolTarget implements Candidate {
  readonly id: string;
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  endpoint: Endpoint;
  /** That of the endpoint, relative to those of the other targets of its pool. */
  weight: number;
  /** How much of its weight it has, in tenths: less than 10 during a slow start. */
  startTenths = 10;
  tier: 0 | 1;
  /** It failed after its last success: only then does a success change anything. */
  hasFailed = false;
  /** Its last failure: a status, or what went wrong. */
  lastFailure: number | string | undefined;
  /** Whoever makes the calls counts them here. */
  readonly traffic = new TargetTraffic();
  /** Calls with a result in the current window of success rates, and the failed ones among them. */
  windowCalls = 0;
  windowFailures = 0;
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

  /** Calls, connections or flows in progress on it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Counts one more in progress; each call must be followed by one call of {@link end}. */
  begin(): void {
    this.#inFlight++;
  }

  end(): void {
    this.#inFlight--;
  }

  isAt({ address, port, instance }: Endpoint): boolean {
    return this.host === address && this.port === port && this.instance === instance;
  }

  /** Applies changes of the endpoint. Its address cannot change: that would be another target. */
  update(endpoint: Endpoint): void {
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.tier = endpoint.tier ?? 0;
  }
}
