import { ascii } from './bytes.ts';

/** What this process adds to messages that it passes on (RFC 9110 section 7.6.3), by the version it received. */
export class ViaLines {
  /** By which a request that was here before is known again. */
  readonly pseudonym: Buffer;
  readonly #lines: readonly [Uint8Array, Uint8Array];

  constructor(pseudonym: string) {
    this.pseudonym = Buffer.from(pseudonym, 'latin1');
    this.#lines = [ascii(`Via: 1.0 ${pseudonym}\r\n`), ascii(`Via: 1.1 ${pseudonym}\r\n`)];
  }

  of(minorVersion: number): Uint8Array {
    return minorVersion === 0 ? this.#lines[0] : this.#lines[1];
  }
}
