import { ascii, decimal, isWord } from './bytes.ts';
import { Fault } from './fault.ts';

const CHUNKED = ascii('chunked');

/** Content-Length and Transfer-Encoding of one head, where any doubt is a fault (RFC 9112 section 6.3). */
export class LengthFields {
  /** -1: no Content-Length. */
  contentLength = -1;
  isChunked = false;

  reset(): void {
    this.contentLength = -1;
    this.isChunked = false;
  }

  addContentLength(bytes: Uint8Array, start: number, end: number): number {
    // A second one is refused even when equal: whoever stands behind may count differently.
    if (this.contentLength !== -1) return Fault.contentLength;
    this.contentLength = decimal(bytes, start, end);
    return this.contentLength === -1 ? Fault.contentLength : 0;
  }

  addTransferEncoding(bytes: Uint8Array, start: number, end: number): number {
    if (this.isChunked || !isWord(bytes, start, end, CHUNKED)) return Fault.transferEncoding;
    this.isChunked = true;
    return 0;
  }

  /** To be asked when all fields were added. */
  check(minorVersion: number): number {
    if (!this.isChunked) return 0;
    if (this.contentLength !== -1) return Fault.lengthAndEncoding;
    return minorVersion === 0 ? Fault.transferEncoding : 0;
  }
}
