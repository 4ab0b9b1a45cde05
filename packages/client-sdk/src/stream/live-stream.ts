import { Backoff, type Timer } from '@rollcall/runtime';
import type { RollcallError } from '../base/error.ts';
import { guarded } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { UrlRing } from '../registry/url-ring.ts';
import { EventStream, type StreamEvent } from './event-stream.ts';

/**
 * What an event means for its stream. `up`: everything wanted has arrived, and an older stream may end. `move`: the
 * server is shutting down, so another stream must be opened at once. `reopen`: this stream is not reliable any more.
 */
export type StreamAction = 'up' | 'move' | 'up-and-move' | 'reopen' | undefined;

/** What one connection is used for. */
export interface StreamSession {
  readonly path: string;
  /** A throw ends the connection and counts as a failure. */
  onEvent(event: StreamEvent): StreamAction;
}

/** The purpose of a live stream. */
export interface StreamPlan<S extends StreamSession> {
  /**
   * Creates the session for the next connection to this server, a new one for each try;
   * undefined when nothing is wanted.
   */
  createSession(url: string): S | undefined;
  /** Whether the stream, and its next try, keep the process alive. @default true */
  readonly keepsAlive?: boolean;
  /** A connection failed; `wasUp`: it was the one in use. Another try follows automatically. */
  onFailure(error: RollcallError, wasUp: boolean): void;
}

interface Connection<S> {
  readonly stream: EventStream;
  readonly session: S;
}

/** First pause before a reconnect, in ms; the pause grows from there. */
const FIRST_PAUSE_MS = 100;

/**
 * Servers that send a client to each other are obeyed at once only after this interval, in
 * ms; sooner, the client pauses.
 */
const MOVE_PAUSE_MS = 1_000;

/**
 * Keeps one stream open for as long as it is wanted. After a failure it goes to the next URL, with jitter. When the
 * wanted content changes ({@link reconcile}) or the server is shutting down, it opens the new connection before it closes
 * the old one (make before break).
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
  /** The wanted content changed after the connection being opened was started. */
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
   * The wanted content changed: opens a connection for it, or ends the last one when nothing is wanted. A connection
   * that is just being opened is completed first: a server may already rely on it.
   */
  reconcile(): void {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = undefined;
    guarded(
      this.#options.runtime,
      'opening a stream',
      () => this.#refresh(),
      () => this.#schedule(this.#backoff.nextDelayMs()),
    );
  }

  #refresh(): void {
    const session = this.#plan.createSession(this.#ring.current);
    if (session === undefined) this.#endAll();
    else if (this.#opening === undefined) this.#open(session);
    else this.#isOutdated = true;
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#endAll();
  }

  /** Sessions of the connections: the one being opened, then the one in use. */
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
      keepsAlive: this.#keepsAlive,
      onEvent: (event) => this.#judge(stream, session.onEvent(event)),
      onEnd: (error) => this.#ended(stream, error),
    });
    this.#opening = { stream, session };
  }

  #judge(stream: EventStream, action: StreamAction): void {
    const opening = this.#opening;
    if ((action === 'up' || action === 'up-and-move') && stream === opening?.stream) {
      this.#up?.stream.close();
      this.#up = opening;
      stream.markUp();
      this.#opening = undefined;
      this.#failures = 0;
      this.#backoff.reset();
      if (this.#isOutdated) this.reconcile();
    }
    if (action === 'move' || action === 'up-and-move') this.#move(stream);
    if (action === 'reopen') this.#reopen(stream);
  }

  /**
   * A stream in use stays until its replacement is ready; one that was being opened is closed. The retry is jittered:
   * all other clients learn the same at the same time.
   */
  #reopen(stream: EventStream): void {
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
    // One server's Retry-After does not delay the try at another server.
    const isRoundOver = this.#failures % this.#ring.size === 0;
    const delayMs = this.#backoff.nextDelayMs(isRoundOver ? (error.retryAfterMs ?? 0) : 0);
    if (this.#opening === undefined && this.#retry === undefined) this.#schedule(delayMs);
    this.#plan.onFailure(error, wasUp);
  }

  #schedule(delayMs: number): void {
    this.#retry = this.#options.runtime.after(delayMs, () => this.reconcile(), {
      keepsAlive: this.#keepsAlive,
    });
  }

  get #keepsAlive(): boolean {
    return this.#plan.keepsAlive ?? true;
  }
}
