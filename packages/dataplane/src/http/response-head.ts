import { CR, FIELD_VALUE, LF, SP, ascii, decimal, isDigit, isWord } from './bytes.ts';
import { ConnectionOptions } from './connection-options.ts';
import { Fault, INCOMPLETE } from './fault.ts';
import { Field, FieldTable } from './field-table.ts';
import { LengthFields } from './length-fields.ts';

const VERSION = ascii('HTTP/1.');
const TIMEOUT = ascii('timeout=');
const COMMA = 44;

/**
 * Like RequestHead, for the responses of an upstream; as strict, because a client must be able to trust the framing.
 */
export class ResponseHead {
  readonly fields: FieldTable;
  readonly options = new ConnectionOptions();
  readonly length = new LengthFields(true);
  start = 0;
  minorVersion = 1;
  status = 0;
  lineEnd = 0;
  end = 0;
  /** From `Keep-Alive: timeout=5`, in seconds; -1 when the upstream does not send it. */
  keepAliveSeconds = -1;

  constructor(fieldLimit: number) {
    this.fields = new FieldTable(fieldLimit);
  }

  /** Whether the upstream will read another request from this connection. */
  get isPersistent(): boolean {
    if (this.options.close) return false;
    return this.minorVersion === 1 || this.options.keepAlive;
  }

  /** 1xx, 204 and 304 have no body, whatever their fields say. */
  get isBodyless(): boolean {
    return this.status < 200 || this.status === 204 || this.status === 304;
  }

  /**
   * @returns the position after the head, INCOMPLETE, or a Fault; the result does not
   * depend on how the bytes were split.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    this.options.reset();
    this.length.reset();
    this.keepAliveSeconds = -1;
    this.start = start;
    const line = this.#readLine(bytes, start, end);
    if (line <= INCOMPLETE) return line;
    const after = this.fields.parse(bytes, line, end);
    if (after <= INCOMPLETE) return after;
    this.end = after;
    const fault = this.#readMeaning(bytes);
    return fault < 0 ? fault : after;
  }

  #readLine(bytes: Uint8Array, start: number, end: number): number {
    for (let i = 0; i < VERSION.length; i++) {
      if (start + i === end) return INCOMPLETE;
      if (bytes[start + i] !== VERSION[i]) return Fault.startLine;
    }
    const minor = start + VERSION.length;
    const status = minor + 2;
    for (let i = minor; i < status + 3; i++) {
      if (i === end) return INCOMPLETE;
      const isOk = i === minor + 1 ? bytes[i] === SP : isDigit(bytes[i]!);
      if (!isOk) return Fault.startLine;
    }
    this.minorVersion = bytes[minor]! - 48;
    this.status = decimal(bytes, status, status + 3);
    if (this.minorVersion > 1) return Fault.version;
    if (this.status < 100) return Fault.startLine;
    return this.#readReason(bytes, status + 3, end);
  }

  #readReason(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    if (i === end) return INCOMPLETE;
    // "HTTP/1.1 200" without the space is common and cannot be misread.
    if (bytes[i] !== SP && bytes[i] !== CR && bytes[i] !== LF) return Fault.startLine;
    while (i < end && FIELD_VALUE[bytes[i]!] === 1) i++;
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
      const start = fields.valueStart(i);
      const end = fields.valueEnd(i);
      let fault = 0;
      switch (fields.kind(i)) {
        case Field.contentLength:
          fault = this.length.addContentLength(bytes, fields, i);
          break;
        case Field.transferEncoding:
          fault = this.length.addTransferEncoding(bytes, fields, i);
          break;
        case Field.connection:
          fault = this.options.parse(bytes, start, end);
          break;
        case Field.keepAlive:
          this.#readKeepAlive(bytes, start, end);
          break;
        default:
          break;
      }
      if (fault < 0) return fault;
    }
    this.options.markNominated(bytes, fields);
    return this.length.check(this.minorVersion);
  }

  #readKeepAlive(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i + TIMEOUT.length < end; i++) {
      const digits = i + TIMEOUT.length;
      if (!isWord(bytes, i, digits, TIMEOUT)) continue;
      let stop = digits;
      while (stop < end && bytes[stop] !== COMMA && bytes[stop] !== SP) stop++;
      this.keepAliveSeconds = decimal(bytes, digits, stop);
      return;
    }
  }
}
