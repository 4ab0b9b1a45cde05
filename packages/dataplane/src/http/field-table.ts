import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN, ascii, isWord } from './bytes.ts';
import { Fault, INCOMPLETE } from './fault.ts';

/** Fields that mean something to an intermediary. Anything else is `other` and passes untouched. */
export const Field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  /** From here on: never passed on. */
  keepAlive: 7,
  te: 8,
  proxy: 9,
  /** Named by a Connection field of the same message. */
  nominated: 10,
  forwardedFor: 11,
  forwardedHost: 12,
  forwardedPort: 13,
  forwardedProto: 14,
} as const;

interface KnownField {
  readonly name: Uint8Array;
  readonly kind: number;
}

const BY_LENGTH: readonly (readonly KnownField[])[] = (() => {
  const known: [string, number][] = [
    ['te', Field.te],
    ['host', Field.host],
    ['proxy', Field.proxy],
    ['expect', Field.expect],
    ['upgrade', Field.upgrade],
    ['connection', Field.connection],
    ['keep-alive', Field.keepAlive],
    ['content-length', Field.contentLength],
    ['transfer-encoding', Field.transferEncoding],
    ['x-forwarded-for', Field.forwardedFor],
    ['x-forwarded-host', Field.forwardedHost],
    ['x-forwarded-port', Field.forwardedPort],
    ['x-forwarded-proto', Field.forwardedProto],
  ];
  const table: KnownField[][] = Array.from({ length: 18 }, () => []);
  for (const [name, kind] of known) table[name.length]!.push({ name: ascii(name), kind });
  return table;
})();

const PROXY_PREFIX = ascii('proxy-');

function classify(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const candidates = BY_LENGTH[length];
  if (candidates !== undefined) {
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (isWord(bytes, start, end, candidate.name)) return candidate.kind;
    }
  }
  const isProxy =
    length > PROXY_PREFIX.length && isWord(bytes, start, start + PROXY_PREFIX.length, PROXY_PREFIX);
  return isProxy ? Field.proxy : Field.other;
}

/** Ints per field: kind, name start, name end, value start, value end. */
const STRIDE = 5;

/** Where the fields of the head parsed last stand in its buffer. One per parser, used again for each head. */
export class FieldTable {
  count = 0;
  /** Position of the blank line's CR: where the last field line ends. */
  end = 0;
  readonly #slots: Int32Array;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#slots = new Int32Array(capacity * STRIDE);
  }

  kind(index: number): number {
    return this.#slots[index * STRIDE]!;
  }

  setKind(index: number, kind: number): void {
    this.#slots[index * STRIDE] = kind;
  }

  lineStart(index: number): number {
    return this.#slots[index * STRIDE + 1]!;
  }

  nameEnd(index: number): number {
    return this.#slots[index * STRIDE + 2]!;
  }

  valueStart(index: number): number {
    return this.#slots[index * STRIDE + 3]!;
  }

  valueEnd(index: number): number {
    return this.#slots[index * STRIDE + 4]!;
  }

  lineEnd(index: number): number {
    return index + 1 < this.count ? this.lineStart(index + 1) : this.end;
  }

  /** Reads field lines up to and with the blank line, strictly left to right; answers the position after it. */
  read(bytes: Uint8Array, from: number, end: number): number {
    this.count = 0;
    let position = from;
    while (position < end) {
      if (bytes[position] === CR) {
        this.end = position;
        if (position + 1 >= end) return INCOMPLETE;
        return bytes[position + 1] === LF ? position + 2 : Fault.bareCr;
      }
      if (this.count === this.#capacity) return Fault.tooManyFields;
      position = this.#readLine(bytes, position, end);
      if (position <= INCOMPLETE) return position;
      this.count++;
    }
    return INCOMPLETE;
  }

  #readLine(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end && TOKEN[bytes[i]!] === 1) i++;
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== COLON || i === from) return nameFault(bytes[i]!, i === from);
    const nameEnd = i++;
    while (i < end && (bytes[i] === SP || bytes[i] === HTAB)) i++;
    const valueStart = i;
    while (i < end && FIELD_VALUE[bytes[i]!] === 1) i++;
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== CR) return bytes[i] === LF ? Fault.bareLf : Fault.fieldValue;
    if (i + 1 === end) return INCOMPLETE;
    if (bytes[i + 1] !== LF) return Fault.bareCr;
    let valueEnd = i;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;
    const slot = this.count * STRIDE;
    const slots = this.#slots;
    slots[slot] = classify(bytes, from, nameEnd);
    slots[slot + 1] = from;
    slots[slot + 2] = nameEnd;
    slots[slot + 3] = valueStart;
    slots[slot + 4] = valueEnd;
    return i + 2;
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function nameFault(byte: number, isEmpty: boolean): number {
  if (isBlank(byte)) return isEmpty ? Fault.obsFold : Fault.spaceBeforeColon;
  if (byte === LF) return Fault.bareLf;
  return Fault.fieldName;
}
