import { ascii } from './bytes.ts';
import { Field } from './field-table.ts';
import type { ResponseHead } from './response-head.ts';

const CLOSE = ascii('Connection: close\r\n');
const KEEP_ALIVE = ascii('Connection: keep-alive\r\n');
const UPGRADE = ascii('Connection: Upgrade\r\nUpgrade: websocket\r\n');
const NOTHING = new Uint8Array(0);
const ADDED = { implied: NOTHING, close: CLOSE, 'keep-alive': KEEP_ALIVE, upgrade: UPGRADE };
const ONE = 49;
const MINOR_OFFSET = 7;

export interface ResponseRewrite {
  readonly connection: 'implied' | 'close' | 'keep-alive' | 'upgrade';
  /** The framing of the upstream is not the client's: HEAD, 204, 304, or a client of HTTP/1.0. */
  readonly dropTransferEncoding: boolean;
  /** 1xx and 204 must not carry a length. */
  readonly dropContentLength: boolean;
}

/** Where the rewritten bytes stand. Used again for each answer. */
export class ResponseWriter {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  /**
   * Turns the head in `source` into the client's, in place as far as room allows: bytes before a removed field move
   * right, and what has to be added goes into the room that frees. Body bytes up to `bodyEnd` stay where they are, so
   * that head and body leave in one write.
   */
  rewrite(source: Buffer, head: ResponseHead, rewrite: ResponseRewrite, bodyEnd: number): void {
    source[head.start + MINOR_OFFSET] = ONE;
    const start = cutFields(source, head, rewrite);
    const added = ADDED[rewrite.connection];
    const lineLength = head.lineEnd - head.start;
    this.end = bodyEnd;
    this.buffer = source;
    this.start = start;
    if (added.length === 0) return;
    if (start - head.start >= added.length) {
      this.start = start - added.length;
      source.copyWithin(this.start, start, start + lineLength);
      source.set(added, this.start + lineLength);
      return;
    }
    const out = Buffer.allocUnsafe(bodyEnd - start + added.length);
    source.copy(out, 0, start, start + lineLength);
    out.set(added, lineLength);
    source.copy(out, lineLength + added.length, start + lineLength, bodyEnd);
    this.buffer = out;
    this.start = 0;
    this.end = out.length;
  }
}

function cutFields(source: Buffer, head: ResponseHead, rewrite: ResponseRewrite): number {
  const fields = head.fields;
  let start = head.start;
  for (let i = 0; i < fields.count; i++) {
    if (isKept(fields.kind(i), rewrite)) continue;
    const lineStart = fields.lineStart(i);
    const width = fields.lineEnd(i) - lineStart;
    source.copyWithin(start + width, start, lineStart);
    start += width;
  }
  return start;
}

function isKept(kind: number, rewrite: ResponseRewrite): boolean {
  switch (kind) {
    case Field.contentLength:
      return !rewrite.dropContentLength;
    case Field.transferEncoding:
      return !rewrite.dropTransferEncoding;
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
