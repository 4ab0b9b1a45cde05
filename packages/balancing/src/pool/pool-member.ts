import type { Endpoint } from '@rollcall/contract';
import type { Candidate } from '../order/candidate.ts';

/** What the owner of a pool counts for each member. */
export interface LoadCounters {
  inFlight: number;
}

/** One endpoint as something that takes connections: the same object for as long as it stays at its address. */
export class PoolMember<C extends LoadCounters> implements Candidate {
  readonly id: string;
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly counters: C;
  endpoint: Endpoint;

  constructor(endpoint: Endpoint, counters: C) {
    this.id = endpoint.id;
    this.instance = endpoint.instance;
    this.host = endpoint.address;
    this.port = endpoint.port;
    this.endpoint = endpoint;
    this.counters = counters;
  }

  get weight(): number {
    return this.endpoint.weight;
  }

  get tier(): 0 | 1 {
    return this.endpoint.tier ?? 0;
  }

  get inFlight(): number {
    return this.counters.inFlight;
  }

  isAt({ address, port, instance }: Endpoint): boolean {
    return this.host === address && this.port === port && this.instance === instance;
  }
}
