import { Backoff, type Timer } from '@rollcall/runtime';
import type { RollcallError } from '../base/error.ts';
import { guarded } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { UrlRing } from '../registry/url-ring.ts';
import { EventStream, type StreamEvent } from './event-stream.ts';

/**
 * What an event says of its stream. `up`: all that was wanted is there, an older stream may go.
 * `move`: the server is going away, another stream is to be opened at once. `anew`: this one cannot be relied on.
 */
export type Verdict = 'up' | 'move' | 'up-and-move' | 'anew' | undefined;

/** What one connection is about. */
export interface StreamSession {
  readonly path: string;
  /** A throw ends the connection and counts as a failure. */
  onEvent(event: StreamEvent): Verdict;
}

/** What a live stream is for. */
export interface StreamPlan<S extends StreamSession> {
  /** The session for the next connection, to this server, made anew for each try; undefined when nothing is wanted. */
  begin(url: string): S | undefined;
  /** A connection failed; `wasUp` when it was the one relied on. Another try follows by itself. */
  onFailure(error: RollcallError, wasUp: boolean): void;
}

interface Connection<S> {
  readonly stream: EventStream;
  readonly session: S;
}

/** First pause before connecting again, in ms; grows from there. */
const FIRST_PAUSE_MS = 100;

/** Servers that send a client on to each other are obeyed at once only this seldom, in ms. */
const MOVE_PAUSE_MS = 1_000;

/**
 * Keeps one stream up for as long as it is wanted: over failures, to the next url, with jitter; and
 * make-before-break, the old connection staying until the new one is up, when the wish changed
 * ({@link refresh}) or the server is going away.
 */
export class LiveStream<S extends StreamSession> {
  readonly #client: RegistryApi;
  readonly #options: ResolvedOptions;
  readonly #plan: StreamPlan<S>;
  readonly #ring: UrlRing;
  readonly #backoff: Backoff;
  #up: Connection<S> | undefined;
  #opening: Connection<S> | undefined;
  #retry: Timer | undefined;
  #movedAtMs = -Infinity;
  #failures = 0;
  /** What is wanted changed since the connection being opened was begun. */
  #isOutdated = false;
  #isClosed = false;

  constructor(client: RegistryApi, options: ResolvedOptions, plan: StreamPlan<S>) {
    this.#client = client;
    this.#options = options;
    this.#plan = plan;
    this.#ring = new UrlRing(options.url, options.runtime.random);
    this.#backoff = new Backoff(options.runtime.random, FIRST_PAUSE_MS, options.reconnectMaxMs);
  }

  /**
   * What is wanted changed: opens a connection for it, or ends the last one when nothing is wanted. One
   * that is just being opened is let come up first: a server may already rely on it.
   */
  refresh(): void {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = undefined;
    guarded(
      this.#options.runtime,
      'opening a stream',
      () => this.#refresh(),
      () => this.#schedule(this.#backoff.next()),
    );
  }

  #refresh(): void {
    const session = this.#plan.begin(this.#ring.current);
    if (session === undefined) this.#endAll();
    else if (this.#opening === undefined) this.#open(session);
    else this.#isOutdated = true;
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#endAll();
  }

  /** What the connections are about: the one that is being opened, then the one that is up. */
  get sessions(): readonly S[] {
    return [this.#opening, this.#up].flatMap((one) => (one === undefined ? [] : [one.session]));
  }

  #endAll(): void {
    this.#opening?.stream.close();
    this.#opening = undefined;
    this.#up?.stream.close();
    this.#up = undefined;
  }

  #open(session: S): void {
    this.#isOutdated = false;
    const stream: EventStream = new EventStream({
      opener: this.#client,
      runtime: this.#options.runtime,
      url: this.#ring.current,
      path: session.path,
      silenceMs: this.#options.silenceMs,
      onEvent: (event) => this.#judge(stream, session.onEvent(event)),
      onEnd: (error) => this.#ended(stream, error),
    });
    this.#opening = { stream, session };
  }

  #judge(stream: EventStream, verdict: Verdict): void {
    const opening = this.#opening;
    if ((verdict === 'up' || verdict === 'up-and-move') && stream === opening?.stream) {
      this.#up?.stream.close();
      this.#up = opening;
      stream.up();
      this.#opening = undefined;
      this.#failures = 0;
      this.#backoff.reset();
      if (this.#isOutdated) this.refresh();
    }
    if (verdict === 'move' || verdict === 'up-and-move') this.#move(stream);
    if (verdict === 'anew') this.#anew(stream);
  }

  /**
   * One that is up stays until the next one is; one that was being opened is of no use. After a moment of its own:
   * whatever one client has learnt, all others learn too.
   */
  #anew(stream: EventStream): void {
    if (stream === this.#opening?.stream) {
      this.#opening = undefined;
      stream.close();
    } else if (stream !== this.#up?.stream || this.#opening !== undefined) return;
    if (this.#retry === undefined) this.#schedule(MOVE_PAUSE_MS * this.#options.runtime.random());
  }

  #move(stream: EventStream): void {
    if (stream !== this.#up?.stream || this.#opening !== undefined || this.#retry !== undefined)
      return;
    this.#ring.leave(stream.url);
    const { runtime } = this.#options;
    const sinceMs = runtime.monotonicMs() - this.#movedAtMs;
    this.#movedAtMs = runtime.monotonicMs();
    this.#schedule(sinceMs < MOVE_PAUSE_MS ? MOVE_PAUSE_MS * (0.5 + 0.5 * runtime.random()) : 0);
  }

  #ended(stream: EventStream, error: RollcallError): void {
    const wasUp = stream === this.#up?.stream;
    if (wasUp) this.#up = undefined;
    else if (stream === this.#opening?.stream) this.#opening = undefined;
    else return;
    this.#ring.leave(stream.url);
    this.#failures++;
    // What one server asks for does not hold back the try at another.
    const isRoundOver = this.#failures % this.#ring.size === 0;
    const delayMs = this.#backoff.next(isRoundOver ? (error.retryAfterMs ?? 0) : 0);
    if (this.#opening === undefined && this.#retry === undefined) this.#schedule(delayMs);
    this.#plan.onFailure(error, wasUp);
  }

  #schedule(delayMs: number): void {
    this.#retry = this.#options.runtime.after(delayMs, () => this.refresh(), { keepsAlive: true });
  }
}
