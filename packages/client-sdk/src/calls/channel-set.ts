import {
  createPicker,
  Ejection,
  type FailureKind,
  type PickContext,
  type Picker,
  type RequestPolicy,
  usable,
} from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/contract';
import type { ResolvedOptions } from '../api/options.ts';
import { within, type Timer } from '@rollcall/runtime';
import { channelIdOf, EndpointChannel } from './endpoint-channel.ts';
import type { Transport } from './service-identity.ts';

/**
 * The channels to a service's endpoints and the picker over those that may be called. The picker is
 * rebuilt at the first pick after the endpoints or the ejections changed.
 */
export class ChannelSet {
  readonly #options: ResolvedOptions;
  readonly #policy: RequestPolicy;
  readonly #transport: Transport;
  readonly #ejection: Ejection;
  #channels = new Map<string, EndpointChannel>();
  /** Those that left the picture while calls were under way on them, and their end. */
  readonly #leaving = new Map<EndpointChannel, Promise<void>>();
  #picker: Picker<EndpointChannel> | undefined;
  #return: Timer | undefined;
  #ejections = 0;
  #isClosed = false;

  constructor(options: ResolvedOptions, policy: RequestPolicy, transport: Transport) {
    this.#options = options;
    this.#policy = policy;
    this.#transport = transport;
    this.#ejection = new Ejection({ ...options.calls.ejection, random: options.runtime.random });
  }

  /** How often an endpoint was ejected. */
  get ejections(): number {
    return this.#ejections;
  }

  /** Calls under way, on endpoints that have left too. */
  get inFlight(): number {
    let inFlight = 0;
    for (const channel of this.#channels.values()) inFlight += channel.inFlight;
    for (const channel of this.#leaving.keys()) inFlight += channel.inFlight;
    return inFlight;
  }

  /** Takes over new endpoints; the connections of those that left end after the calls under way. */
  update(endpoints: readonly Endpoint[]): void {
    if (this.#isClosed) return;
    const channels = new Map<string, EndpointChannel>();
    for (const endpoint of endpoints) {
      const id = channelIdOf(endpoint);
      const channel = this.#channels.get(id);
      channel?.update(endpoint);
      channels.set(
        id,
        channel ?? new EndpointChannel(endpoint, this.#transport, this.#options.calls),
      );
    }
    for (const [id, channel] of this.#channels) if (!channels.has(id)) this.#dismiss(channel);
    this.#channels = channels;
    this.#ejection.retain(new Set(channels.keys()));
    this.#picker = undefined;
  }

  /** The channel for the next call; undefined when there is none. Allocates nothing. */
  pick(context?: PickContext<EndpointChannel>): EndpointChannel | undefined {
    const result = (this.#picker ??= this.#createPicker()).pick(context);
    return result.kind === 'picked' ? result.target : undefined;
  }

  failed(channel: EndpointChannel, kind: FailureKind): void {
    channel.hasFailed = true;
    if (this.#channels.get(channel.id) !== channel) return;
    if (!this.#ejection.failed(channel.id, kind, this.#options.runtime.monotonicMs())) return;
    this.#ejections++;
    this.#picker = undefined;
  }

  succeeded(channel: EndpointChannel): void {
    channel.hasFailed = false;
    this.#ejection.succeeded(channel.id);
  }

  /** Waits for the calls under way, `graceMs` at most, then ends all connections. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#return?.cancel();
    for (const channel of this.#channels.values()) this.#dismiss(channel);
    this.#channels = new Map();
    this.#picker = undefined;
    await within(this.#options.runtime, graceMs, Promise.all(this.#leaving.values()));
    await Promise.all([...this.#leaving.keys()].map((channel) => channel.destroy()));
  }

  #createPicker(): Picker<EndpointChannel> {
    const { runtime } = this.#options;
    const nowMs = runtime.monotonicMs();
    this.#return?.cancel();
    const returnMs = this.#ejection.nextReturnMs(nowMs);
    if (returnMs !== Infinity && !this.#isClosed)
      this.#return = runtime.after(returnMs - nowMs + 1, () => (this.#picker = undefined));
    return createPicker(
      this.#policy,
      this.#ejection.admitted(usable(this.#channels.values()), nowMs),
      runtime,
    );
  }

  #dismiss(channel: EndpointChannel): void {
    const end = channel.close().finally(() => this.#leaving.delete(channel));
    this.#leaving.set(channel, end);
  }
}
