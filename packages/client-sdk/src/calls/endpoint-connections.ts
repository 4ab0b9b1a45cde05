import {
  type FailureKind,
  type PickContext,
  type PoolExplanation,
  type RequestPolicy,
  TargetPool,
} from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/contract';
import { within } from '@rollcall/runtime';
import type { ResolvedOptions } from '../api/options.ts';
import { CHANNELS, type EjectMessage, tell } from '../diagnostics/channels.ts';
import { EndpointChannel } from './endpoint-channel.ts';
import type { EndpointRule } from './endpoint-filter.ts';
import type { Transport } from './service-identity.ts';

/** The connections to a service's endpoints, and the choice of the endpoint for the next call. */
export class EndpointConnections {
  readonly #options: ResolvedOptions;
  /** The service. */
  readonly #of: Pick<EjectMessage, 'namespace' | 'service'>;
  readonly #pool: TargetPool<EndpointChannel>;
  /** Channels that left the picture with calls still in progress, and the promise of their end. */
  readonly #leaving = new Map<EndpointChannel, Promise<void>>();
  #isClosed = false;

  constructor(
    options: ResolvedOptions,
    policy: RequestPolicy,
    transport: Transport,
    of: Pick<EjectMessage, 'namespace' | 'service'>,
  ) {
    this.#options = options;
    this.#of = of;
    const { runtime, calls } = options;
    this.#pool = new TargetPool<EndpointChannel>(policy, {
      create: (endpoint) => new EndpointChannel(endpoint, transport, calls),
      ejection: calls.ejection,
      nowMs: () => runtime.monotonicMs(),
      random: runtime.random,
    });
  }

  /** How often endpoints were ejected. */
  get ejections(): number {
    return this.#pool.ejections;
  }

  /** Calls in progress, including those on endpoints that have left. */
  get inFlight(): number {
    let inFlight = 0;
    for (const channel of this.#pool.targets()) inFlight += channel.inFlight;
    for (const channel of this.#leaving.keys()) inFlight += channel.inFlight;
    return inFlight;
  }

  /** The endpoints that calls may go to, those that are ejected for a while included. */
  get usable(): readonly Endpoint[] {
    return this.#pool.state().usable.map(({ endpoint }) => endpoint);
  }

  /** The endpoints of the picture. */
  targets(): Iterable<EndpointChannel> {
    return this.#pool.targets();
  }

  /** Sets the new endpoints; the connections of removed endpoints close after their calls in progress. */
  update(endpoints: readonly Endpoint[]): void {
    if (this.#isClosed) return;
    for (const channel of this.#pool.setEndpoints(endpoints)) this.#dismiss(channel);
  }

  /** The channel for the next call; undefined when there is none. Allocates nothing. */
  pick(context?: PickContext<EndpointChannel>): EndpointChannel | undefined {
    return this.#pool.pick(context);
  }

  /** Why each endpoint may be picked now, or not. Counts as no pick. */
  explain(endpoint?: EndpointRule): PoolExplanation<EndpointChannel> {
    return this.#pool.explain(
      endpoint === undefined ? undefined : (channel) => endpoint.admits(channel.endpoint),
    );
  }

  /** `why`: what went wrong. */
  failed(channel: EndpointChannel, kind: FailureKind, why?: string): void {
    if (this.#pool.failed(channel, kind, why)) this.#tellEjected(channel);
  }

  succeeded(channel: EndpointChannel): void {
    this.#pool.succeeded(channel);
  }

  answered(channel: EndpointChannel, statusCode: number): void {
    if (this.#pool.answered(channel, statusCode)) this.#tellEjected(channel);
  }

  /** Waits up to `graceMs` for the calls in progress, then closes all connections. */
  async close(graceMs: number): Promise<void> {
    this.update([]);
    this.#isClosed = true;
    await within(this.#options.runtime, graceMs, Promise.all(this.#leaving.values()));
    await Promise.all([...this.#leaving.keys()].map((channel) => channel.destroy()));
  }

  #tellEjected({ endpoint }: EndpointChannel): void {
    tell(CHANNELS.eject, () => ({ ...this.#of, endpoint }) satisfies EjectMessage);
  }

  #dismiss(channel: EndpointChannel): void {
    const end = channel.close().finally(() => this.#leaving.delete(channel));
    this.#leaving.set(channel, end);
  }
}
