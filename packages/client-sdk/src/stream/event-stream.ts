import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { RollcallError } from '../error.ts';
import type { RegistryApi } from '../registry/registry-api.ts';
import { jsonOf } from '../registry/reply.ts';
import type { Runtime, Timer } from '../runtime.ts';

/** One event of a stream, its data parsed as JSON (undefined when it is none). */
export interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Opens streams; the registry does. */
type StreamOpener = Pick<RegistryApi, 'open'>;
type Opened = Awaited<ReturnType<StreamOpener['open']>>;

export interface EventStreamOptions {
  readonly opener: StreamOpener;
  readonly runtime: Runtime;
  readonly url: string;
  readonly path: string;
  /** Without a byte for this long the stream is dead, in ms. */
  readonly silenceMs: number;
  readonly onEvent: (event: StreamEvent) => void;
  /** Called once, unless the stream was closed from this side. */
  readonly onEnd: (error: RollcallError) => void;
}

/** One connection that carries server-sent events, until either side ends it. Opens when made. */
export class EventStream {
  readonly url: string;
  readonly #options: EventStreamOptions;
  readonly #abort = new AbortController();
  #heardAtMs: number;
  #watchdog: Timer | undefined;
  #isOver = false;

  constructor(options: EventStreamOptions) {
    this.url = options.url;
    this.#options = options;
    this.#heardAtMs = options.runtime.nowMs();
    void this.#run();
  }

  /** Ends the connection; no callback is called any more. Twice does no harm. */
  close(): void {
    this.#isOver = true;
    this.#watchdog?.cancel();
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { opener, url, path, runtime, silenceMs } = this.#options;
    try {
      const reply = await opener.open(url, path, this.#abort.signal);
      this.#heardAtMs = runtime.nowMs();
      this.#watch(silenceMs);
      this.#read(reply);
    } catch (error) {
      this.#end(error);
    }
  }

  #read({ body }: Opened): void {
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent: (message) => this.#deliver(message) });
    body.on('data', (chunk: Buffer) => {
      this.#heardAtMs = this.#options.runtime.nowMs();
      if (!this.#isOver) parser.feed(decoder.decode(chunk, { stream: true }));
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
      this.#end(error);
    }
  }

  /** One timer per stream: armed for what is left of the silence that is allowed. */
  #watch(delayMs: number): void {
    const { runtime, silenceMs } = this.#options;
    if (this.#isOver) return;
    this.#watchdog = runtime.setTimer(() => {
      const silentMs = runtime.nowMs() - this.#heardAtMs;
      if (silentMs < silenceMs) this.#watch(silenceMs - silentMs);
      else this.#end(new Error(`no byte for ${Math.round(silentMs)} ms`));
    }, delayMs);
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.close();
    const why = error instanceof Error ? error.message : String(error);
    this.#options.onEnd(
      error instanceof RollcallError
        ? error
        : new RollcallError('registry_unreachable', `stream from ${this.url} ended: ${why}`, {
            cause: error,
          }),
    );
  }
}
