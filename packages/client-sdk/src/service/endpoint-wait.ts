import { withCause } from '@rollcall/runtime';
import { z } from 'zod';
import { abortSignal, durationMs } from '../api/option-kinds.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { ReadyOptions } from '../api/service.ts';
import type { Emitter } from '../base/emitter.ts';
import { RollcallError } from '../base/error.ts';
import { keptAlive } from '../base/kept-alive.ts';
import { parseOptions } from '../base/parse-options.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import type { EndpointConnections } from '../calls/endpoint-connections.ts';
import type { EndpointRule } from '../calls/endpoint-filter.ts';
import type { EndpointAwaiter } from '../calls/service-dispatcher.ts';
import type { FeedEvents, ServiceFeed } from '../directory/service-feed.ts';
import { noEndpointsError, whyNone } from './no-endpoints.ts';

const Ready = z.strictObject({
  endpoints: z.int({ error: 'expected a number of endpoints' }).min(0).default(1),
  timeoutMs: durationMs(0, 3_600_000).default(0),
  signal: abortSignal().optional(),
});

export interface WaitedFor {
  readonly namespace: string;
  readonly name: string;
  /** Scheme and full name, as `http://orders.default.rollcall`. */
  readonly origin: string;
  readonly port: string | undefined;
  readonly options: ResolvedOptions;
  readonly directory: { readonly failure: RollcallError | undefined };
  readonly feed: ServiceFeed;
  readonly events: Emitter<FeedEvents>;
  readonly connections: EndpointConnections;
  /** Once the service is closed. */
  readonly closedError: () => RollcallError | undefined;
}

interface Limit {
  /** Undefined = none. */
  readonly limitMs: number | undefined;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Given to a wait whose time is over. */
const OVER = Symbol('the time is over');

/** Waits for pictures and for endpoints to call, and says why there are none. */
export class EndpointWait implements EndpointAwaiter {
  readonly namespace: string;
  readonly name: string;
  readonly label: string;
  readonly origin: string;
  readonly #of: WaitedFor;

  constructor(waitedFor: WaitedFor) {
    this.namespace = waitedFor.namespace;
    this.name = waitedFor.name;
    this.origin = waitedFor.origin;
    this.label = `${waitedFor.namespace}/${waitedFor.name}`;
    this.#of = waitedFor;
  }

  /** `closing` ends the wait like the signal. */
  async ready(given: ReadyOptions = {}, closing?: AbortSignal): Promise<void> {
    const { endpoints: count, timeoutMs, signal } = parseOptions(Ready, given);
    const { feed, connections, directory, options } = this.#of;
    const isReady = () => feed.snapshot !== undefined && connections.usable.length >= count;
    if (isReady()) return;
    const { failure } = directory;
    const isHopeless = feed.snapshot === undefined && failure?.retryable === false;
    if (isHopeless) throw failure;
    const limitMs = timeoutMs === 0 ? undefined : timeoutMs;
    const limit = { limitMs, signals: [signal, closing] };
    const waiting = this.#within(limit, async (giveUp) => {
      while (!isReady()) await this.#next(giveUp);
    });
    try {
      await keptAlive(options.runtime, waiting);
    } catch (error) {
      if (error !== OVER) throw withCause(error, this.#why(count));
      const why = whyNone(this.#facts(), { count });
      throw new RollcallError(
        'timeout',
        `service ${this.label} was not ready within ${timeoutMs} ms: ${why}`,
        { cause: directory.failure },
      );
    }
  }

  async awaitChannel({
    waitMs,
    signal,
    endpoint,
  }: {
    readonly waitMs: number | undefined;
    readonly signal: AbortSignal;
    readonly endpoint?: EndpointRule | undefined;
  }): Promise<EndpointChannel | RollcallError> {
    const { firstPictureWaitMs, noEndpointWaitMs } = this.#of.options;
    const signals = [signal];
    try {
      if (waitMs === undefined && this.#of.feed.snapshot === undefined)
        await this.#within({ limitMs: firstPictureWaitMs, signals }, (giveUp) =>
          this.#next(giveUp),
        );
      const limitMs = waitMs ?? noEndpointWaitMs;
      if (limitMs === 0) return this.#pick(endpoint) ?? this.whyNone(endpoint);
      return await this.#within({ limitMs, signals }, (giveUp) =>
        this.#nextChannel(endpoint, giveUp),
      );
    } catch (error) {
      if (error instanceof RollcallError) return error;
      if (error === OVER || error === signal.reason) return this.whyNone(endpoint);
      throw error;
    }
  }

  whyNone(endpoint?: EndpointRule): RollcallError {
    const closed = this.#of.closedError();
    return closed ?? noEndpointsError(this.#facts(), { which: endpoint?.text ?? '' });
  }

  #why(count: number): RollcallError {
    const { feed, directory } = this.#of;
    const isUnseen = feed.snapshot === undefined;
    return (isUnseen ? directory.failure : undefined) ?? noEndpointsError(this.#facts(), { count });
  }

  #facts() {
    const { port, feed, connections, directory } = this.#of;
    return {
      label: this.label,
      port,
      known: feed.snapshot?.endpoints ?? [],
      usable: connections.usable,
      ageMs: feed.ageMs,
      failure: directory.failure,
    };
  }

  #pick(rule: EndpointRule | undefined): EndpointChannel | undefined {
    const { connections } = this.#of;
    if (rule === undefined) return connections.pick();
    return connections.pick({ admit: ({ endpoint }) => rule.admits(endpoint) });
  }

  async #nextChannel(
    rule: EndpointRule | undefined,
    giveUp: AbortSignal,
  ): Promise<EndpointChannel> {
    for (;;) {
      const channel = this.#pick(rule);
      if (channel !== undefined) return channel;
      await this.#next(giveUp);
    }
  }

  /**
   * The result of `wait`. Aborts the signal passed to it with {@link OVER} after the limit, or with the reason of the
   * signal that aborts first.
   */
  async #within<T>(
    { limitMs, signals }: Limit,
    wait: (giveUp: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const giveUp = new AbortController();
    const onOver = () => giveUp.abort(OVER);
    const { runtime } = this.#of.options;
    const timer =
      limitMs === undefined ? undefined : runtime.after(limitMs, onOver, { keepsAlive: true });
    const listening = signals.flatMap((signal) => {
      if (signal === undefined) return [];
      const onAbort = () => giveUp.abort(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      return [() => signal.removeEventListener('abort', onAbort)];
    });
    try {
      return await wait(giveUp.signal);
    } finally {
      timer?.cancel();
      for (const off of listening) off();
    }
  }

  /** Resolves at the next picture. Rejects on abort, on close, and when there is no picture and never will be. */
  #next(giveUp: AbortSignal): Promise<void> {
    const { events, feed, closedError } = this.#of;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = closedError();
    if (closed !== undefined) reject(closed);
    if (giveUp.aborted) reject(giveUp.reason);
    const onAbort = () => reject(giveUp.reason);
    giveUp.addEventListener('abort', onAbort, { once: true });
    const offs = [
      events.on('change', () => resolve()),
      events.on('refused', (error) => {
        if (closedError() !== undefined || feed.snapshot === undefined) reject(error);
      }),
    ];
    return promise.finally(() => {
      giveUp.removeEventListener('abort', onAbort);
      for (const off of offs) off();
    });
  }
}
