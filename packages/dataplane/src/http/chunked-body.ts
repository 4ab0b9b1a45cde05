import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './bytes.ts';
import { Fault } from './fault.ts';

const State = {
  firstDigit: 0,
  size: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailerStart: 7,
  trailerName: 8,
  trailerValue: 9,
  trailerLf: 10,
  lastLf: 11,
} as const;

const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 256;
const MAX_TRAILER_BYTES = 8192;
const SEMICOLON = 59;

/** Fields that decide framing, routing or rights must not arrive after the body (RFC 9110 section 6.5.1). */
const NEVER_A_TRAILER = new Set([
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'trailer',
  'te',
  'host',
  'connection',
  'upgrade',
  'expect',
  'authorization',
  'cookie',
  'set-cookie',
  'x-forwarded-for',
]);

/** Receives the data of chunks without their framing. */
export type ChunkData = (bytes: Buffer, start: number, end: number) => void;

/**
 * Follows chunked framing byte by byte and keeps its place between reads, so that what is forwarded verbatim was seen
 * to be well-formed: sizes in plain hexadecimal, CR LF everywhere, trailers that cannot change what the head said.
 */
export class ChunkedBody {
  isDone = false;
  #state: number = State.firstDigit;
  #remaining = 0;
  #digits = 0;
  #overhead = 0;
  #trailerName = '';

  reset(): void {
    this.isDone = false;
    this.#state = State.firstDigit;
    this.#remaining = 0;
    this.#digits = 0;
    this.#overhead = 0;
    this.#trailerName = '';
  }

  /** @returns the position up to which bytes belong to this body (see `isDone`), or a Fault. */
  take(bytes: Buffer, start: number, end: number, onData: ChunkData | null): number {
    let i = start;
    while (i < end) {
      if (this.#state !== State.data) {
        const fault = this.#step(bytes[i]!);
        if (fault < 0) return fault;
        i++;
        if (this.isDone) return i;
        continue;
      }
      const count = Math.min(this.#remaining, end - i);
      if (onData !== null) onData(bytes, i, i + count);
      this.#remaining -= count;
      i += count;
      if (this.#remaining === 0) this.#state = State.dataCr;
    }
    return i;
  }

  #step(byte: number): number {
    switch (this.#state) {
      case State.firstDigit:
      case State.size:
        return this.#sizeByte(byte);
      case State.extension:
        return this.#extensionByte(byte);
      case State.sizeLf:
        if (byte !== LF) return Fault.chunkSize;
        this.#overhead = 0;
        this.#state = this.#remaining === 0 ? State.trailerStart : State.data;
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
    if (this.#state === State.firstDigit) return Fault.chunkSize;
    if (byte === CR) this.#state = State.sizeLf;
    else if (byte === SEMICOLON) this.#state = State.extension;
    else return Fault.chunkSize;
    return 0;
  }

  #extensionByte(byte: number): number {
    if (byte === CR) {
      this.#state = State.sizeLf;
      return 0;
    }
    if (FIELD_VALUE[byte] !== 1 || ++this.#overhead > MAX_EXTENSION_BYTES) {
      return Fault.chunkExtension;
    }
    return 0;
  }

  #trailerByte(byte: number): number {
    if (++this.#overhead > MAX_TRAILER_BYTES) return Fault.trailer;
    switch (this.#state) {
      case State.trailerStart:
        if (byte === CR) {
          this.#state = State.lastLf;
          return 0;
        }
        this.#state = State.trailerName;
        this.#trailerName = '';
        return this.#trailerNameByte(byte);
      case State.trailerName:
        return this.#trailerNameByte(byte);
      case State.trailerValue:
        if (byte === CR) this.#state = State.trailerLf;
        else if (FIELD_VALUE[byte] !== 1) return Fault.trailer;
        return 0;
      case State.trailerLf:
        this.#state = State.trailerStart;
        return byte === LF ? 0 : Fault.trailer;
      default:
        this.isDone = byte === LF;
        return this.isDone ? 0 : Fault.trailer;
    }
  }

  #trailerNameByte(byte: number): number {
    if (byte === COLON) {
      this.#state = State.trailerValue;
      const name = this.#trailerName.toLowerCase();
      return name === '' || NEVER_A_TRAILER.has(name) ? Fault.trailer : 0;
    }
    if (TOKEN[byte] !== 1 || byte === SP || byte === HTAB) return Fault.trailer;
    this.#trailerName += String.fromCharCode(byte);
    return 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
