import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { CallRules } from './call-rules.ts';
import type { EndpointRule } from './endpoint-filter.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import { isDeath, isIdempotent, isReplayable, isTryTimeout } from './request-fault.ts';
import { Tries } from './tries.ts';

/** What the choice of the next try needs from the dispatcher. */
export interface TrySource {
  readonly maxTries: number;
  /** A channel other than those tried; undefined when there is none. */
  pickOther(
    tried: readonly EndpointChannel[],
    endpoint?: EndpointRule,
  ): EndpointChannel | undefined;
  /** Takes one retry from the budget; false when the budget is empty. */
  takeRetry(): boolean;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Another try of a call. */
export interface Plan {
  readonly delayMs: number;
  readonly channel: EndpointChannel;
  /** The choice again, after the delay. */
  readonly pick: () => EndpointChannel | undefined;
}

/**
 * Delay before the last try, in ms. Two dead connections in a row suggest a larger outage; by then the registry has
 * usually reported the dead endpoints, so the last try goes to a live one.
 */
const LAST_TRY_MS = 25;

/**
 * Decides where and when one call is tried again.
 *
 * A try that failed before its request was written may always be repeated. A try that failed later, or was answered with
 * a status that asks for another one, may be repeated only when the request is idempotent and its body can be sent again.
 */
export class NextTry {
  readonly #source: TrySource;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #rules: CallRules | undefined;
  readonly #tries: Tries;
  #last: Error | undefined;
  #dropped = 0;

  constructor(
    source: TrySource,
    options: Dispatcher.DispatchOptions,
    rules: CallRules | undefined,
  ) {
    const times = rules?.times;
    this.#source = source;
    this.#options = options;
    this.#rules = rules;
    this.#tries = new Tries(times === undefined ? source.maxTries : times + 1);
  }

  /** Number of tries that failed. */
  get count(): number {
    return this.#tries.count;
  }

  /** Why the last one failed. */
  get last(): Error | undefined {
    return this.#last;
  }

  /** `wasStarted`: the try had a connection. `wasSent`: one of them had. Undefined: there is no other try. */
  afterFailure(
    channel: EndpointChannel,
    error: Error,
    { wasStarted, wasSent }: { readonly wasStarted: boolean; readonly wasSent: boolean },
  ): Plan | undefined {
    const tries = this.#tries;
    const isRepeat = tries.channels.includes(channel);
    this.#note(channel, error, wasStarted);
    if (tries.isEnough || !this.#mayRepeat(error, wasStarted, wasSent)) return undefined;
    // With no other endpoint left, retry the one whose connection died: a server may close an idle connection just as a
    // request is written to it.
    const again = wasStarted && !isRepeat && isDeath(error) ? channel : undefined;
    return this.#plan(tries.isNextLast ? LAST_TRY_MS : 0, () => this.#pickOther() ?? again);
  }

  /** The try was answered with a status that asks for another one. Undefined: the answer is the caller's. */
  afterAnswer(
    channel: EndpointChannel,
    error: Error,
    { headers, leftMs }: { readonly headers: IncomingHttpHeaders; readonly leftMs: number },
  ): Plan | undefined {
    if (!isReplayable(this.#options.body, true) || !isIdempotent(this.#options)) return undefined;
    this.#note(channel, error, true);
    if (this.#tries.isEnough) return undefined;
    const delayMs = this.#pauseMs(headers);
    // A caller whose time would be over by then is better off with this answer.
    if (delayMs >= leftMs) return undefined;
    return this.#plan(delayMs, () => this.#pickOther() ?? this.#pickAny());
  }

  #note(channel: EndpointChannel, error: Error, wasStarted: boolean): void {
    this.#last = error;
    this.#tries.note(channel, error, wasStarted);
  }

  #plan(delayMs: number, pick: () => EndpointChannel | undefined): Plan | undefined {
    const channel = pick();
    if (channel === undefined || !this.#source.takeRetry()) return undefined;
    return { delayMs, channel, pick };
  }

  #pickOther(): EndpointChannel | undefined {
    return this.#source.pickOther(this.#tries.channels, this.#rules?.endpoint);
  }

  #pickAny(): EndpointChannel | undefined {
    return this.#source.pickOther([], this.#rules?.endpoint);
  }

  #mayRepeat(error: Error, wasStarted: boolean, wasSent: boolean): boolean {
    // A try without a connection that was given up still has the body, and undici destroys it in the end.
    const isTaken = wasSent || isTryTimeout(error);
    if (!isReplayable(this.#options.body, isTaken)) return false;
    if (!wasStarted) return true;
    return (isDeath(error) || isTryTimeout(error)) && isIdempotent(this.#options);
  }

  /**
   * A random pause below a limit that doubles ("full jitter"), so that callers that failed together do not come back
   * together; no shorter than the answer asks for, as far as the limit allows that.
   */
  #pauseMs(headers: IncomingHttpHeaders): number {
    const { minMs, maxMs } = this.#rules!.backoff;
    const spanMs = Math.min(minMs * 2 ** this.#dropped++, maxMs);
    return Math.max(spanMs * this.#source.random(), Math.min(retryAfterMs(headers), maxMs));
  }
}

/** In ms; 0 when it is not given in seconds. */
function retryAfterMs({ 'retry-after': given }: IncomingHttpHeaders): number {
  return typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) * 1_000 : 0;
}
