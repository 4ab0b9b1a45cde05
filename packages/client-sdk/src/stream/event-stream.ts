import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ZodError } from 'zod';
import { RollcallError } from '../base/error.ts';
import { guarded, warnOfFault } from '../base/guard.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { jsonOf } from '../registry/reply.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Timer } from '@rollcall/runtime';
import { StreamProof } from './stream-proof.ts';

/** Bytes around the text of a comment. */
const COMMENT_FRAME_BYTES = 2;

/** One event of a stream, its data parsed as JSON (undefined when it is not JSON). */
export interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Opens streams; the registry client implements it. */
type StreamOpener = Pick<RegistryApi, 'openStream'>;
type Opened = Awaited<ReturnType<StreamOpener['openStream']>>;

export interface EventStreamOptions {
  readonly opener: StreamOpener;
  readonly runtime: Runtime;
  readonly url: string;
  readonly path: string;
  /**
   * The stream counts as dead without a complete event for this long, in ms; a large event
   * may take longer while it grows.
   */
  readonly silenceMs: number;
  /** Whether it keeps the process alive. */
  readonly keepsAlive: boolean;
  readonly onEvent: (event: StreamEvent) => void;
  /** Called once, unless this side closed the stream. */
  readonly onEnd: (error: RollcallError) => void;
}

/** One connection with server-sent events, until either side ends it. The constructor opens it. */
export class EventStream {
  readonly url: string;
  readonly #options: EventStreamOptions;
  readonly #abort = new AbortController();
  readonly #proof: StreamProof;
  #watchdog: Timer | undefined;
  #isOver = false;

  constructor(options: EventStreamOptions) {
    this.url = options.url;
    this.#options = options;
    this.#proof = new StreamProof(options.silenceMs, options.runtime.monotonicMs());
    this.#watch();
    void this.#run();
  }

  /** The stream has delivered its first complete picture; from now on it only has to stay alive. */
  markUp(): void {
    this.#proof.markUp();
  }

  /** Ends the connection; no callback runs any more. Safe to call twice. */
  close(): void {
    this.#isOver = true;
    this.#watchdog?.cancel();
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { opener, url, path, keepsAlive } = this.#options;
    try {
      const { signal } = this.#abort;
      this.#read(await opener.openStream(url, path, { signal, keepsAlive }));
    } catch (error) {
      this.#end(error);
    }
  }

  #read({ body, heard }: Opened): void {
    const decoder = new TextDecoder();
    const { runtime } = this.#options;
    let commented = 0;
    const parser = createParser({
      onEvent: (message) => {
        this.#proof.event(runtime.monotonicMs());
        heard();
        this.#deliver(message);
      },
      onComment: ({ length }) => (commented += length + COMMENT_FRAME_BYTES),
    });
    body.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      commented = 0;
      parser.feed(decoder.decode(chunk, { stream: true }));
      this.#proof.bytes(Math.max(chunk.length - commented, 0), runtime.monotonicMs());
      this.#check();
    });
    body.on('error', (error) => this.#end(error));
    body.on('end', () => this.#end(new Error('the server ended the stream')));
    body.on('close', () => this.#end(new Error('the connection was closed')));
  }

  #deliver({ event, data }: EventSourceMessage): void {
    if (this.#isOver) return;
    try {
      this.#options.onEvent({ name: event ?? 'message', data: jsonOf(data) });
    } catch (error) {
      // A protocol violation is the server's fault; any other error is a bug of this client.
      const { runtime, url } = this.#options;
      const isTheirs = error instanceof ZodError || error instanceof RollcallError;
      if (!isTheirs) warnOfFault(runtime, `taking in what ${url} shows`, error);
      this.#end(error);
    }
  }

  /** One timer per stream, set to the time by which the stream must have proved again that it is alive. */
  #watch(): void {
    const { runtime, keepsAlive } = this.#options;
    if (this.#isOver) return;
    const onDue = () => {
      this.#check();
      this.#watch();
    };
    const delayMs = this.#proof.waitMs(runtime.monotonicMs());
    this.#watchdog = runtime.after(delayMs, onDue, { keepsAlive });
  }

  #check(): void {
    const fault = this.#proof.faultAt(this.#options.runtime.monotonicMs());
    if (fault !== undefined) this.#end(new Error(fault));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.close();
    const why = error instanceof Error ? error.message : String(error);
    const fault =
      error instanceof RollcallError
        ? error
        : new RollcallError('registry_unreachable', `stream from ${this.url} ended: ${why}`, {
            cause: error,
          });
    const { runtime, onEnd } = this.#options;
    guarded(runtime, 'leaving a stream', () => onEnd(fault));
  }
}
