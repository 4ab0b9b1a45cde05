import { ascii, decimal } from './bytes.ts';
import type { RequestEdits } from '../model/router.ts';
import type { ClientIdentity } from './client-identity.ts';
import { Field } from './field-table.ts';
import { isRemoved } from './removed-fields.ts';
import { isLimited } from './request-gate.ts';
import type { RequestHead } from './request-head.ts';
import type { ViaLines } from './via-lines.ts';

const VERSION_LINE = ascii(' HTTP/1.1\r\n');
const LINE_END = ascii('\r\n');
const HOST = ascii('Host: ');
const UPGRADE = ascii('Connection: Upgrade\r\nUpgrade: websocket\r\n');
const CHUNKED = ascii('Transfer-Encoding: chunked\r\n');
const SLASH_BYTE = 47;
/** Up to this size a loop is faster than the built-in copy. */
const FEW_BYTES = 48;
/** Size of the lines that may be added to any request, and of their line ends, in bytes. */
const FIXED_BYTES = 384;

const FORWARDED_FOR = ascii('X-Forwarded-For: ');
const FORWARDED_HOST = ascii('X-Forwarded-Host: ');
const SEPARATOR = ascii(', ');

export interface RequestRewrite {
  readonly head: RequestHead;
  readonly identity: ClientIdentity;
  /** Keep the client's claims about another client in front of it. */
  readonly trustForwarded: boolean;
  /** What the rule changes. */
  readonly edits: RequestEdits | undefined;
  /** The line with its id; empty: it has none. */
  readonly idLine: string;
}

/** Builds the bytes to send upstream: one separate buffer, so that it can be sent again. */
export class RequestWriter {
  /** Where the first field line of what was encoded last begins. */
  fieldsAt = 0;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;
  readonly #via: ViaLines;

  constructor(via: ViaLines) {
    this.#via = via;
  }

  /** `bodyEnd`: end of the bytes in `source` that belong to this request. */
  encode(source: Buffer, rewrite: RequestRewrite, bodyEnd: number): Buffer {
    const { head, identity, edits, idLine } = rewrite;
    const { address, protoAndPort, certificate } = identity;
    const own =
      FIXED_BYTES + idLine.length + address.length + protoAndPort.length + certificate.length;
    const fixed = edits === undefined ? own : own + lengthOf(edits);
    const hostLength = 2 * (head.hostEnd - head.hostStart || identity.localAuthority.length);
    this.#out = Buffer.allocUnsafe(bodyEnd - head.start + fixed + hostLength);
    this.#length = 0;
    this.#requestLine(source, head, edits?.target);
    this.fieldsAt = this.#length;
    if (isUsual(rewrite)) this.#usual(source, rewrite);
    else {
      this.#host(source, rewrite);
      this.#forwarded(source, rewrite);
    }
    if (certificate.length > 0) this.#bytes(certificate);
    if (head.isWebSocketUpgrade) this.#bytes(UPGRADE);
    this.#framing(head);
    if (head.fields.has(Field.maxForwards)) this.#maxForwards(source, head);
    this.#fields(source, rewrite);
    if (edits?.lines !== undefined) this.#bytes(edits.lines);
    if (idLine !== '') this.#text(idLine);
    this.#bytes(this.#via.lineFor(head.minorVersion));
    this.#copy(source, head.fields.end, bodyEnd);
    return this.#out.subarray(0, this.#length);
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length <= FEW_BYTES) this.#fewBytes(bytes, 0, bytes.length);
    else {
      this.#out.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  #copy(source: Buffer, start: number, end: number): void {
    if (end - start <= FEW_BYTES) this.#fewBytes(source, start, end);
    else this.#length += source.copy(this.#out, this.#length, start, end);
  }

  #fewBytes(source: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    let at = this.#length;
    for (let i = start; i < end; i++) out[at++] = source[i]!;
    this.#length = at;
  }

  #requestLine(source: Buffer, head: RequestHead, target: string | undefined): void {
    if (target !== undefined) {
      this.#copy(source, head.start, head.methodEnd + 1);
      this.#text(target);
      this.#bytes(VERSION_LINE);
      return;
    }
    if (!head.isAbsoluteTarget && head.minorVersion === 1) {
      this.#copy(source, head.start, head.lineEnd);
      return;
    }
    this.#copy(source, head.start, head.methodEnd + 1);
    if (head.isAbsoluteTarget && source[head.pathStart] !== SLASH_BYTE) {
      this.#out[this.#length++] = SLASH_BYTE;
    }
    this.#copy(source, head.pathStart, head.targetEnd);
    this.#bytes(VERSION_LINE);
  }

  #text(text: string): void {
    this.#length += this.#out.write(text, this.#length, 'latin1');
  }

  /** One copy in place of eight. */
  #usual(source: Buffer, rewrite: RequestRewrite): void {
    const { head, identity } = rewrite;
    const { usual } = identity;
    if (isSame(source, head.hostStart, head.hostEnd, usual.host)) {
      this.#bytes(usual.lines);
      return;
    }
    const start = this.#length;
    this.#host(source, rewrite);
    this.#forwarded(source, rewrite);
    if (usual.isWorthIt) {
      usual.host = Buffer.from(source.subarray(head.hostStart, head.hostEnd));
      usual.lines = Buffer.from(this.#out.subarray(start, this.#length));
    }
    usual.isWorthIt = true;
  }

  #host(source: Buffer, { head, identity, edits }: RequestRewrite): void {
    this.#bytes(HOST);
    if (edits?.host === undefined) this.#hostValue(source, head, identity);
    else this.#text(edits.host);
    this.#bytes(LINE_END);
  }

  #hostValue(source: Buffer, head: RequestHead, identity: ClientIdentity): void {
    if (head.hostEnd > head.hostStart) this.#copy(source, head.hostStart, head.hostEnd);
    else this.#bytes(identity.localAuthority);
  }

  #forwarded(source: Buffer, rewrite: RequestRewrite): void {
    const { head, identity, trustForwarded } = rewrite;
    const fields = head.fields;
    this.#bytes(FORWARDED_FOR);
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== Field.forwardedFor) continue;
      if (fields.valueStart(i) === fields.valueEnd(i)) continue;
      this.#copy(source, fields.valueStart(i), fields.valueEnd(i));
      this.#bytes(SEPARATOR);
    }
    this.#bytes(identity.address);
    this.#bytes(LINE_END);
    if (trustForwarded && fields.has(Field.forwardedProto)) return;
    this.#bytes(FORWARDED_HOST);
    this.#hostValue(source, head, identity);
    this.#bytes(LINE_END);
    this.#bytes(identity.protoAndPort);
  }

  /** In one normalized form, whatever spaces and letter case the client used. */
  #framing({ length }: RequestHead): void {
    if (length.isChunked) this.#bytes(CHUNKED);
    else if (!length.isPlain) this.#bytes(ascii(`Content-Length: ${length.contentLength}\r\n`));
  }

  /** Decrements it, for methods to which it applies. */
  #maxForwards(source: Buffer, head: RequestHead): void {
    if (!isLimited(source, head)) return;
    const { fields } = head;
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== Field.maxForwards) continue;
      const count = decimal(source, fields.valueStart(i), fields.valueEnd(i));
      if (count > 0) this.#bytes(ascii(`Max-Forwards: ${count - 1}\r\n`));
      return;
    }
  }

  /** Copies consecutive kept field lines together. */
  #fields(source: Buffer, rewrite: RequestRewrite): void {
    const fields = rewrite.head.fields;
    const removed = rewrite.edits?.removed;
    let runStart = rewrite.head.lineEnd;
    for (let i = 0; i < fields.count; i++) {
      const isPassedOn = isKept(fields.kind(i), source, rewrite);
      if (isPassedOn && !isRemoved(source, fields, i, removed)) continue;
      this.#copy(source, runStart, fields.lineStart(i));
      runStart = fields.lineEnd(i);
    }
    this.#copy(source, runStart, fields.end);
  }
}

/** Space for what is added. */
function lengthOf({ target = '', host = '', lines }: RequestEdits): number {
  return target.length + host.length + (lines?.length ?? 0);
}

/** Whether the lines depend on nothing but the host. */
function isUsual({ head, trustForwarded, edits }: RequestRewrite): boolean {
  const { fields } = head;
  if (edits?.host !== undefined) return false;
  if (head.hostEnd === head.hostStart || fields.has(Field.forwardedFor)) return false;
  return !trustForwarded || !fields.has(Field.forwardedProto);
}

function isSame(source: Uint8Array, start: number, end: number, bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (source[start + i] !== bytes[i]) return false;
  return true;
}

function isKept(kind: number, source: Buffer, { head, trustForwarded }: RequestRewrite): boolean {
  switch (kind) {
    case Field.other:
    case Field.via:
    case Field.date:
      return true;
    case Field.contentLength:
      return head.length.isPlain;
    case Field.maxForwards:
      return !isLimited(source, head);
    case Field.expect:
      // Without a body there is nothing to continue with.
      return head.minorVersion === 1 && head.hasBody;
    case Field.claim:
      return trustForwarded;
    case Field.forwardedHost:
    case Field.forwardedPort:
    case Field.forwardedProto:
      return trustForwarded && head.fields.has(Field.forwardedProto);
    default:
      return false;
  }
}
