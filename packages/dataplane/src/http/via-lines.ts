import { ascii } from './bytes.ts';

/** The Via line that this process adds to forwarded messages (RFC 9110 section 7.6.3), by the HTTP version received. */
export class ViaLines {
  /** Identifies a request that has passed through this process before. */
  readonly pseudonym: Buffer;
  readonly #lines: readonly [Uint8Array, Uint8Array];

  constructor(pseudonym: string) {
    this.pseudonym = Buffer.from(pseudonym, 'latin1');
    this.#lines = [ascii(`Via: 1.0 ${pseudonym}\r\n`), ascii(`Via: 1.1 ${pseudonym}\r\n`)];
  }

  lineFor(minorVersion: number): Uint8Array {
    return minorVersion === 0 ? this.#lines[0] : this.#lines[1];
  }
}
