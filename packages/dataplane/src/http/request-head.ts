import { authorityHostEnd } from './authority.ts';
import { CR, LF, SLASH, SP, TARGET, TOKEN, ascii, equalBytes, isDigit, isWord } from './bytes.ts';
import { ConnectionOptions } from './connection-options.ts';
import { Fault, INCOMPLETE } from './fault.ts';
import { Field, FieldTable } from './field-table.ts';
import { LengthFields } from './length-fields.ts';

const HTTP = ascii('http://');
const HTTPS = ascii('https://');
const CONNECT = ascii('connect');
const OPTIONS = ascii('OPTIONS');
const WEBSOCKET = ascii('websocket');
const CONTINUE = ascii('100-continue');
const VERSION = ascii('HTTP/');
const ASTERISK = 42;
const QUESTION = 63;
const DOT = 46;

/**
 * A strict parser of request heads (RFC 9112 sections 2 to 6), and its result: offsets into the parsed buffer, valid
 * until that buffer changes. One per server, reused for each head.
 */
export class RequestHead {
  readonly fields: FieldTable;
  readonly options = new ConnectionOptions();
  readonly length = new LengthFields(false);
  /** First byte of the request line; a blank line before it is skipped. */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** The target without scheme and authority; empty for `http://host`, which means `/`. */
  pathStart = 0;
  minorVersion = 1;
  lineEnd = 0;
  /**
   * From Host, or from an absolute target, which takes precedence (RFC 9112 section 3.2.2). Empty range: none was sent.
   */
  hostStart = 0;
  hostEnd = 0;
  hostNameEnd = 0;
  isWebSocketUpgrade = false;
  expectsContinue = false;
  end = 0;

  #hostCount = 0;

  /** `marksUnderscores`: see FieldTable. */
  constructor(fieldLimit: number, marksUnderscores = true) {
    this.fields = new FieldTable(fieldLimit, marksUnderscores);
  }

  get hasBody(): boolean {
    return this.length.isChunked || this.length.contentLength > 0;
  }

  /** Whether the client means to send further requests over the connection. */
  get isKeptAlive(): boolean {
    return !this.options.close && (this.minorVersion === 1 || this.options.keepAlive);
  }

  get isAbsoluteTarget(): boolean {
    return this.pathStart !== this.targetStart;
  }

  /**
   * @returns the position after the head, INCOMPLETE, or a Fault; the result does not
   * depend on how the bytes were split.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    this.#reset();
    const line = this.#readLine(bytes, start, end);
    if (line <= INCOMPLETE) return line;
    const after = this.fields.parse(bytes, line, end);
    if (after <= INCOMPLETE) return after;
    this.end = after;
    const fault = this.#readMeaning(bytes);
    return fault < 0 ? fault : after;
  }

  #reset(): void {
    this.options.reset();
    this.length.reset();
    this.lineEnd = 0;
    this.hostStart = 0;
    this.hostEnd = 0;
    this.hostNameEnd = 0;
    this.isWebSocketUpgrade = false;
    this.expectsContinue = false;
    this.#hostCount = 0;
  }

  #readLine(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    // One blank line before a request is accepted (RFC 9112 section 2.2).
    if (i < end && bytes[i] === CR) {
      if (i + 1 === end) return INCOMPLETE;
      if (bytes[i + 1] !== LF) return Fault.bareCr;
      i += 2;
    }
    this.start = i;
    while (i < end && TOKEN[bytes[i]!] === 1) i++;
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== SP || i === this.start) return Fault.startLine;
    this.methodEnd = i++;
    this.targetStart = i;
    while (i < end && TARGET[bytes[i]!] === 1) i++;
    if (i === end) return INCOMPLETE;
    if (i === this.targetStart) return Fault.target;
    if (bytes[i] !== SP) {
      const isLineEnd = bytes[i] === CR || bytes[i] === LF;
      return isLineEnd ? Fault.startLine : Fault.target;
    }
    this.targetEnd = i++;
    return this.#readVersion(bytes, i, end);
  }

  #readVersion(bytes: Uint8Array, from: number, end: number): number {
    for (let n = 0; n < VERSION.length; n++) {
      if (from + n === end) return INCOMPLETE;
      if (bytes[from + n] !== VERSION[n]) return Fault.startLine;
    }
    const major = from + VERSION.length;
    for (let n = 0; n < 3; n++) {
      if (major + n === end) return INCOMPLETE;
      const byte = bytes[major + n]!;
      if (n === 1 ? byte !== DOT : !isDigit(byte)) return Fault.startLine;
    }
    this.minorVersion = bytes[major + 2]! - 48;
    if (bytes[major] !== 49 || this.minorVersion > 1) return Fault.version;
    const i = major + 3;
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== CR) return bytes[i] === LF ? Fault.bareLf : Fault.startLine;
    if (i + 1 === end) return INCOMPLETE;
    if (bytes[i + 1] !== LF) return Fault.bareCr;
    this.lineEnd = i + 2;
    return this.lineEnd;
  }

  #readMeaning(bytes: Uint8Array): number {
    const fields = this.fields;
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind(i);
      if (kind === Field.other || kind >= Field.keepAlive) continue;
      const fault = this.#readField(bytes, kind, i);
      if (fault < 0) return fault;
    }
    const lengthFault = this.length.check(this.minorVersion);
    if (lengthFault < 0) return lengthFault;
    const targetFault = this.#readTarget(bytes);
    if (targetFault < 0) return targetFault;
    if (this.#hostCount === 0 && this.minorVersion === 1) return Fault.host;
    if (!this.options.upgrade || this.hasBody || this.minorVersion === 0) {
      this.isWebSocketUpgrade = false;
    }
    this.options.markNominated(bytes, fields);
    return 0;
  }

  #readField(bytes: Uint8Array, kind: number, index: number): number {
    const start = this.fields.valueStart(index);
    const end = this.fields.valueEnd(index);
    switch (kind) {
      case Field.host:
        return this.#readHost(bytes, start, end);
      case Field.contentLength:
        return this.length.addContentLength(bytes, this.fields, index);
      case Field.transferEncoding:
        return this.length.addTransferEncoding(bytes, this.fields, index);
      case Field.connection:
        return this.options.parse(bytes, start, end);
      case Field.upgrade:
        this.isWebSocketUpgrade = isWord(bytes, start, end, WEBSOCKET);
        return 0;
      default:
        this.expectsContinue = isWord(bytes, start, end, CONTINUE);
        return this.expectsContinue ? 0 : Fault.expectation;
    }
  }

  #readHost(bytes: Uint8Array, start: number, end: number): number {
    if (++this.#hostCount > 1) return Fault.host;
    return this.#setHost(bytes, start, end) ? 0 : Fault.host;
  }

  #setHost(bytes: Uint8Array, start: number, end: number): boolean {
    this.hostStart = start;
    this.hostEnd = end;
    this.hostNameEnd = authorityHostEnd(bytes, start, end);
    return this.hostNameEnd !== -1;
  }

  #readTarget(bytes: Uint8Array): number {
    const start = this.targetStart;
    this.pathStart = start;
    if (bytes[start] === SLASH)
      return isConnect(bytes, this.start, this.methodEnd) ? Fault.connect : 0;
    if (isConnect(bytes, this.start, this.methodEnd)) return Fault.connect;
    if (bytes[start] === ASTERISK && this.targetEnd === start + 1) {
      return equalBytes(bytes, this.start, this.methodEnd, OPTIONS) ? 0 : Fault.target;
    }
    const authority = schemeEnd(bytes, start, this.targetEnd);
    if (authority === -1) return Fault.target;
    let i = authority;
    while (i < this.targetEnd && bytes[i] !== SLASH && bytes[i] !== QUESTION) i++;
    this.pathStart = i;
    return this.#setHost(bytes, authority, i) ? 0 : Fault.target;
  }
}

function isConnect(bytes: Uint8Array, start: number, end: number): boolean {
  return isWord(bytes, start, end, CONNECT);
}

function schemeEnd(bytes: Uint8Array, start: number, end: number): number {
  for (const scheme of [HTTP, HTTPS]) {
    const after = start + scheme.length;
    if (after <= end && startsWith(bytes, start, scheme)) return after;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i]!;
    const isUpperCase = byte >= 65 && byte <= 90;
    if ((isUpperCase ? byte + 32 : byte) !== word[i]) return false;
  }
  return true;
}
