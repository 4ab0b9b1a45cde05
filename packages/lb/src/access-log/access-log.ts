import type { ExchangeRecord } from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import { formatLogLine } from './log-line.ts';
import type { LogSink } from './log-sink.ts';

const FLUSH_CHARACTERS = 65_536;
/** Beyond this, a sink that is too slow loses lines; otherwise the balancer would run out of memory. */
const MAX_BACKLOG_BYTES = 16_777_216;

/** Collects lines and writes them in batches: when there are enough, and at each tick. */
export class AccessLog {
  /** Lines lost because the sink was too slow. */
  dropped = 0;
  #pending = '';
  #pendingLines = 0;
  #stampedMs = 0;
  #stampText = '';
  readonly #sink: LogSink;
  readonly #clock: Clock;

  constructor(sink: LogSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  add(record: ExchangeRecord): void {
    this.#pending += formatLogLine(record, this.#stamp());
    this.#pendingLines++;
    if (this.#pending.length >= FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#pendingLines === 0) return;
    if (this.#sink.backlogBytes() > MAX_BACKLOG_BYTES) this.dropped += this.#pendingLines;
    else this.#sink.write(this.#pending);
    this.#pending = '';
    this.#pendingLines = 0;
  }

  /** Many lines have the same millisecond, so its text is cached. */
  #stamp(): string {
    const ms = this.#clock.wallMs();
    if (ms !== this.#stampedMs) {
      this.#stampedMs = ms;
      this.#stampText = new Date(ms).toISOString();
    }
    return this.#stampText;
  }

  async close(): Promise<void> {
    this.flush();
    await this.#sink.close();
  }
}
