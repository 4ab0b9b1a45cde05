import type { ExchangeRecord } from '@rollcall/dataplane';
import type { Clock, Random } from '@rollcall/runtime';
import type { AccessLogConfig } from '../config/access-log-schema.ts';
import { LINE_FORMATS, type LineFormat } from './line-format.ts';
import type { LogSink } from './log-sink.ts';

const BATCH_BYTES = 65_536;
/** Fewer bytes are copied rather than given away with all of their batch. */
const COPIED_BYTES = 8_192;
/** Of one character in UTF-8, at most. */
const CHARACTER_BYTES = 3;
/** Beyond this, a sink that is too slow loses lines; otherwise the balancer would run out of memory. */
const MAX_BACKLOG_BYTES = 16_777_216;

/** From this status on, a request is always written. */
const SERVER_FAULT = 500;

export interface AccessLogParts {
  readonly clock: Clock;
  readonly random: Random['share'];
}

/** Collects lines and writes them in batches: when there are enough, and at each tick. */
export class AccessLog {
  /** Lines lost because the sink was too slow. */
  dropped = 0;
  // Bytes, not text: a text that grows is thousands of small objects, which survive until it is written.
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #batchBytes = 0;
  #batchLines = 0;
  /** Share of the requests without a fault of a server that are written. */
  #sample = 1;
  #format: LineFormat = LINE_FORMATS.json;
  #stampedMs = 0;
  #stampText = '';
  #sink: LogSink;
  readonly #clock: Clock;
  readonly #random: Random['share'];

  constructor(sink: LogSink, { clock, random }: AccessLogParts) {
    this.#sink = sink;
    this.#clock = clock;
    this.#random = random;
  }

  /** From the next line on. */
  configure({ format, sample }: Pick<AccessLogConfig, 'format' | 'sample'>): void {
    this.#sample = sample;
    this.#format = LINE_FORMATS[format];
    this.#stampedMs = 0;
  }

  add(record: ExchangeRecord): void {
    if (this.#sample < 1 && record.status < SERVER_FAULT && this.#random() >= this.#sample) return;
    const line = this.#format.lineOf(record, this.#stamp());
    const mostBytes = line.length * CHARACTER_BYTES;
    if (mostBytes > BATCH_BYTES - this.#batchBytes) this.flush();
    if (mostBytes > BATCH_BYTES) this.#write(Buffer.from(line), 1);
    else {
      this.#batchBytes += this.#batch.write(line, this.#batchBytes);
      this.#batchLines++;
    }
  }

  flush(): void {
    if (this.#batchLines === 0) return;
    const bytes = this.#batch.subarray(0, this.#batchBytes);
    // The sink may still be writing what it was given.
    if (bytes.length <= COPIED_BYTES) this.#write(Buffer.from(bytes), this.#batchLines);
    else {
      this.#write(bytes, this.#batchLines);
      this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
    }
    this.#batchBytes = 0;
    this.#batchLines = 0;
  }

  #write(bytes: Uint8Array, lines: number): void {
    if (this.#sink.backlogBytes() > MAX_BACKLOG_BYTES) this.dropped += lines;
    else this.#sink.write(bytes);
  }

  /** Many lines have the same millisecond, so its text is cached. */
  #stamp(): string {
    const ms = this.#clock.wallMs();
    if (ms !== this.#stampedMs) {
      this.#stampedMs = ms;
      this.#stampText = this.#format.timeOf(ms);
    }
    return this.#stampText;
  }

  /** Later lines go to another sink. The last one is closed once it has what it was given. */
  replaceSink(sink: LogSink): Promise<void> {
    this.flush();
    const last = this.#sink;
    this.#sink = sink;
    return last.close();
  }

  async close(): Promise<void> {
    this.flush();
    await this.#sink.close();
  }
}
