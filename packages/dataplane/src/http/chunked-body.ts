import { CR, FIELD_VALUE, HTAB, LF, SP } from './bytes.ts';
import { Fault } from './fault.ts';
import { type TrailerRules, TrailerSection } from './trailer-section.ts';

const State = {
  firstDigit: 0,
  size: 1,
  sizeBlank: 2,
  extension: 3,
  sizeLf: 4,
  data: 5,
  dataCr: 6,
  dataLf: 7,
  trailers: 8,
} as const;

const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 256;
const SEMICOLON = 59;
const LAST_LINE = '\r\n';

export interface ChunkRules extends TrailerRules {
  /** For requests. Responses may have spaces after a chunk size, and forbidden trailers that are then left out. */
  readonly isStrict: boolean;
}

/** Receives the data of chunks, without their framing. */
export type ChunkData = (bytes: Buffer, start: number, end: number) => void;

/**
 * Parses chunked framing byte by byte and keeps its state between reads, so everything that is forwarded was checked to
 * be well-formed: sizes in plain hexadecimal, CR LF everywhere. Extensions and trailers, which another reader could
 * interpret differently, are cut out in place.
 */
export class ChunkedBody {
  isDone = false;
  /** After `take`: end of the bytes to forward. */
  keptEnd = 0;
  #state: number = State.firstDigit;
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #isDropped = false;
  readonly #rules: ChunkRules;
  readonly #trailers: TrailerSection;

  constructor(rules: ChunkRules) {
    this.#rules = rules;
    this.#trailers = new TrailerSection(rules);
  }

  /** What must follow the kept bytes of a finished body: its trailers and the final CR LF. Usually empty. */
  get tail(): string {
    return this.isDone && this.#trailers.lines !== '' ? this.#trailers.lines + LAST_LINE : '';
  }

  reset(): void {
    this.isDone = false;
    this.#state = State.firstDigit;
    this.#remaining = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailers.reset();
  }

  /** @returns the position up to which bytes belong to this body (see `isDone` and `keptEnd`), or a Fault. */
  consume(bytes: Buffer, start: number, end: number, onData: ChunkData | null): number {
    let i = start;
    let kept = start;
    while (i < end && !this.isDone) {
      if (this.#state !== State.data) {
        const byte = bytes[i]!;
        const fault = this.#step(byte);
        if (fault < 0) return fault;
        if (!this.#isDropped) {
          if (kept !== i) bytes[kept] = byte;
          kept++;
        }
        i++;
        continue;
      }
      const count = Math.min(this.#remaining, end - i);
      if (onData !== null) onData(bytes, i, i + count);
      else if (kept !== i) bytes.copyWithin(kept, i, i + count);
      this.#remaining -= count;
      i += count;
      kept += count;
      if (this.#remaining === 0) this.#state = State.dataCr;
    }
    this.keptEnd = kept;
    return i;
  }

  #step(byte: number): number {
    this.#isDropped = false;
    switch (this.#state) {
      case State.firstDigit:
      case State.size:
        return this.#sizeByte(byte);
      case State.sizeBlank:
        return this.#afterSize(byte);
      case State.extension:
        return this.#extensionByte(byte);
      case State.sizeLf:
        if (byte !== LF) return Fault.chunkSize;
        this.#extensionBytes = 0;
        this.#state = this.#remaining === 0 ? State.trailers : State.data;
        return 0;
      case State.dataCr:
        this.#state = State.dataLf;
        return byte === CR ? 0 : Fault.chunkEnd;
      case State.dataLf:
        this.#state = State.firstDigit;
        this.#digits = 0;
        return byte === LF ? 0 : Fault.chunkEnd;
      default:
        return this.#trailerByte(byte);
    }
  }

  #sizeByte(byte: number): number {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#state = State.size;
      if (++this.#digits > MAX_SIZE_DIGITS) return Fault.chunkSize;
      this.#remaining = this.#remaining * 16 + digit;
      return 0;
    }
    return this.#state === State.firstDigit ? Fault.chunkSize : this.#afterSize(byte);
  }

  #afterSize(byte: number): number {
    if (byte === CR) {
      this.#state = State.sizeLf;
      return 0;
    }
    this.#isDropped = true;
    if (byte === SEMICOLON) this.#state = State.extension;
    else if (this.#rules.isStrict || (byte !== SP && byte !== HTAB)) return Fault.chunkSize;
    else this.#state = State.sizeBlank;
    return ++this.#extensionBytes > MAX_EXTENSION_BYTES ? Fault.chunkSize : 0;
  }

  #extensionByte(byte: number): number {
    if (byte === CR) {
      this.#state = State.sizeLf;
      return 0;
    }
    this.#isDropped = true;
    const isFine = FIELD_VALUE[byte] === 1 && ++this.#extensionBytes <= MAX_EXTENSION_BYTES;
    return isFine ? 0 : Fault.chunkExtension;
  }

  #trailerByte(byte: number): number {
    const trailers = this.#trailers;
    const fault = trailers.consume(byte);
    this.isDone = trailers.isDone;
    // Keeps only the blank line, unless trailers must be inserted before it.
    this.#isDropped = !trailers.isEnding || trailers.lines !== '';
    return fault;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
