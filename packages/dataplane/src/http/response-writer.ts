import type { FieldEdits } from '../model/router.ts';
import { ascii } from './bytes.ts';
import type { DateLine } from './date-line.ts';
import { Field } from './field-table.ts';
import { isRemoved } from './removed-fields.ts';
import type { ResponseHead } from './response-head.ts';
import type { ViaLines } from './via-lines.ts';

const CLOSE = ascii('Connection: close\r\n');
const KEEP_ALIVE = ascii('Connection: keep-alive\r\n');
const UPGRADE = ascii('Connection: Upgrade\r\nUpgrade: websocket\r\n');
const CHUNKED = ascii('Transfer-Encoding: chunked\r\n');
const NOTHING = new Uint8Array(0);
const CONNECTION = { implied: NOTHING, close: CLOSE, 'keep-alive': KEEP_ALIVE, upgrade: UPGRADE };
const ONE = 49;
const MINOR_OFFSET = 7;
/** Below this size a loop is faster than the built-in copy. */
const FEW_BYTES = 64;

export interface ResponseRewrite {
  readonly connection: 'implied' | 'close' | 'keep-alive' | 'upgrade';
  /** The framing of the upstream does not apply to the client: HEAD, 204, 304, or a client of HTTP/1.0. */
  readonly dropTransferEncoding: boolean;
  /** 1xx and 204 must not have a length. */
  readonly dropContentLength: boolean;
  /** The final response rather than an interim one: gets the lines that an intermediary adds. */
  readonly isFinal: boolean;
  /** Bytes before the head may be overwritten: no write that used them is still pending. */
  readonly hasRoom: boolean;
  /** What the rule changes. */
  readonly edits?: FieldEdits | undefined;
}

/** Position of the rewritten bytes. Reused for each response. */
export class ResponseWriter {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  readonly #via: ViaLines;
  readonly #date: DateLine;
  #framingLine: Uint8Array = NOTHING;
  #connectionLines: Uint8Array = NOTHING;
  #dateLine: Uint8Array = NOTHING;
  #viaLine: Uint8Array = NOTHING;
  #editedLines: Uint8Array = NOTHING;

  constructor(via: ViaLines, date: DateLine) {
    this.#via = via;
    this.#date = date;
  }

  /**
   * Rewrites the head in `source` for the client, in place if there is room: bytes before a removed field move right,
   * and added lines use the space that this frees, or the space before the head. Body bytes up to `bodyEnd` do not
   * move, so that head and body go out in one write.
   */
  rewrite(source: Buffer, head: ResponseHead, rewrite: ResponseRewrite, bodyEnd: number): void {
    source[head.start + MINOR_OFFSET] = ONE;
    const start = cutFields(source, head, rewrite);
    const count = this.#collect(head, rewrite);
    // Further Via entries must come after the existing ones.
    const place = head.fields.has(Field.via) ? head.fields.end : start + head.lineEnd - head.start;
    this.end = bodyEnd;
    this.buffer = source;
    this.start = start;
    if (count === 0) return;
    if (start - count >= (rewrite.hasRoom ? 0 : head.start)) {
      this.start = start - count;
      moveLeft(source, this.start, start, place);
      this.#writeLines(source, place - count);
      return;
    }
    const out = Buffer.allocUnsafe(bodyEnd - start + count);
    source.copy(out, 0, start, place);
    this.#writeLines(out, place - start);
    source.copy(out, place - start + count, place, bodyEnd);
    this.buffer = out;
    this.start = 0;
    this.end = out.length;
  }

  /** Chooses the lines to add; returns their total length. */
  #collect(head: ResponseHead, rewrite: ResponseRewrite): number {
    const { isFinal } = rewrite;
    this.#framingLine = head.length.isPlain ? NOTHING : framingLine(head, rewrite);
    this.#connectionLines = CONNECTION[rewrite.connection];
    this.#dateLine = isFinal && !head.fields.has(Field.date) ? this.#date.bytes : NOTHING;
    this.#viaLine = isFinal ? this.#via.lineFor(head.minorVersion) : NOTHING;
    this.#editedLines = rewrite.edits?.lines ?? NOTHING;
    const inside = this.#framingLine.length + this.#connectionLines.length;
    const added = this.#dateLine.length + this.#viaLine.length + this.#editedLines.length;
    return inside + added;
  }

  #writeLines(out: Buffer, start: number): void {
    let at = writeLine(out, start, this.#framingLine);
    at = writeLine(out, at, this.#connectionLines);
    at = writeLine(out, at, this.#dateLine);
    at = writeLine(out, at, this.#viaLine);
    writeLine(out, at, this.#editedLines);
  }
}

/** One framing line in the usual form. */
function framingLine({ length }: ResponseHead, rewrite: ResponseRewrite): Uint8Array {
  if (length.isChunked) return rewrite.dropTransferEncoding ? NOTHING : CHUNKED;
  if (rewrite.dropContentLength) return NOTHING;
  return ascii(`Content-Length: ${length.contentLength}\r\n`);
}

function writeLine(out: Buffer, start: number, line: Uint8Array): number {
  const { length } = line;
  for (let i = 0; i < length; i++) out[start + i] = line[i]!;
  return start + length;
}

function moveLeft(bytes: Buffer, to: number, start: number, end: number): void {
  if (end - start > FEW_BYTES) bytes.copyWithin(to, start, end);
  else for (let i = start, at = to; i < end; i++, at++) bytes[at] = bytes[i]!;
}

function cutFields(source: Buffer, head: ResponseHead, rewrite: ResponseRewrite): number {
  const fields = head.fields;
  let start = head.start;
  for (let i = 0; i < fields.count; i++) {
    const isPassedOn = isKept(fields.kind(i), head.length.isPlain, rewrite);
    if (isPassedOn && !isRemoved(source, fields, i, rewrite.edits?.removed)) continue;
    const lineStart = fields.lineStart(i);
    const width = fields.lineEnd(i) - lineStart;
    source.copyWithin(start + width, start, lineStart);
    start += width;
  }
  return start;
}

function isKept(kind: number, isPlain: boolean, rewrite: ResponseRewrite): boolean {
  switch (kind) {
    case Field.contentLength:
      return isPlain && !rewrite.dropContentLength;
    case Field.transferEncoding:
      return isPlain && !rewrite.dropTransferEncoding;
    case Field.connection:
    case Field.keepAlive:
    case Field.upgrade:
    case Field.te:
    case Field.proxy:
    case Field.nominated:
      return false;
    default:
      return true;
  }
}
