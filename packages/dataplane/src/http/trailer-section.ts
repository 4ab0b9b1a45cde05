import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './bytes.ts';
import { Fault } from './fault.ts';
import { isFramingField, mayBeTrailer } from './trailer-names.ts';

const State = { start: 0, name: 1, value: 2, lineLf: 3, lastLf: 4 } as const;
const MAX_BYTES = 8_192;

export interface TrailerRules {
  /** Forwards the trailer fields after the last chunk, rewritten and without those that are only allowed in a head. */
  readonly passesTrailers: boolean;
  /** A field that would change the framing is a fault, and not only left out. */
  readonly isStrict: boolean;
}

/** The trailer fields after the last chunk: parsed strictly, and kept in normalized form if they may be forwarded. */
export class TrailerSection {
  isDone = false;
  /** Rewritten lines; empty when nothing is forwarded. */
  lines = '';
  readonly #rules: TrailerRules;
  #isPassedOn: boolean;
  #state: number = State.start;
  #length = 0;
  #name = '';
  #value = '';

  /** The rules are read again for each body. */
  constructor(rules: TrailerRules) {
    this.#rules = rules;
    this.#isPassedOn = rules.passesTrailers;
  }

  /** Inside the final blank line, or after it. */
  get isEnding(): boolean {
    return this.#state === State.lastLf;
  }

  reset(): void {
    this.#isPassedOn = this.#rules.passesTrailers;
    this.isDone = false;
    this.lines = '';
    this.#state = State.start;
    this.#length = 0;
  }

  /** @returns 0 or a Fault. */
  consume(byte: number): number {
    if (++this.#length > MAX_BYTES) return Fault.trailer;
    switch (this.#state) {
      case State.start:
        if (byte === CR) {
          this.#state = State.lastLf;
          return 0;
        }
        this.#state = State.name;
        this.#name = '';
        this.#value = '';
        return this.#nameByte(byte);
      case State.name:
        return this.#nameByte(byte);
      case State.value:
        if (byte === CR) this.#state = State.lineLf;
        else if (FIELD_VALUE[byte] !== 1) return Fault.trailer;
        else if (this.#isPassedOn) this.#value += String.fromCharCode(byte);
        return 0;
      case State.lineLf:
        this.#state = State.start;
        return byte === LF ? this.#endLine() : Fault.trailer;
      default:
        this.isDone = byte === LF;
        return this.isDone ? 0 : Fault.trailer;
    }
  }

  #nameByte(byte: number): number {
    if (byte === COLON) {
      this.#state = State.value;
      return this.#name === '' ? Fault.trailer : 0;
    }
    if (TOKEN[byte] !== 1 || byte === SP || byte === HTAB) return Fault.trailer;
    this.#name += String.fromCharCode(byte);
    return 0;
  }

  #endLine(): number {
    const name = this.#name.toLowerCase();
    if (this.#rules.isStrict && isFramingField(name)) return Fault.trailer;
    if (this.#isPassedOn && mayBeTrailer(name)) {
      this.lines += `${this.#name}: ${trimBlanks(this.#value)}\r\n`;
    }
    return 0;
  }
}

function trimBlanks(value: string): string {
  return value.replace(/^[ \t]+/, '').replace(/(?<![ \t])[ \t]+$/, '');
}
