import {
  COLON,
  CR,
  FIELD_VALUE,
  HAS_UNDERSCORE,
  HTAB,
  LF,
  NAME,
  SP,
  ascii,
  isWord,
} from './bytes.ts';
import { Fault, INCOMPLETE } from './fault.ts';

/** Fields that have a meaning for an intermediary. Any other field is `other` and is forwarded unchanged. */
export const Field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  /** From here on: never forwarded. */
  keepAlive: 7,
  te: 8,
  proxy: 9,
  /** Named by a Connection field of the same message. */
  nominated: 10,
  forwardedFor: 11,
  forwardedHost: 12,
  forwardedPort: 13,
  forwardedProto: 14,
  via: 15,
  maxForwards: 16,
  date: 17,
  /** Makes a claim about the client that only a proxy in front can know. */
  claim: 18,
  /** The name contains `_`: some servers treat it as the same name with `-`. */
  underscored: 19,
  /** Written anew by this process. */
  replaced: 20,
  /** Says whose certificate the client showed. Only this process can know: never forwarded, whoever is trusted. */
  clientCertificate: 21,
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
    ['via', Field.via],
    ['date', Field.date],
    ['max-forwards', Field.maxForwards],
    ['forwarded', Field.claim],
    ['front-end-https', Field.claim],
    ['true-client-ip', Field.claim],
    ['x-client-ip', Field.claim],
    ['x-cluster-client-ip', Field.claim],
    ['x-real-ip', Field.claim],
    ['x-scheme', Field.claim],
    ['x-url-scheme', Field.claim],
  ];
  const table: KnownField[][] = Array.from({ length: 20 }, () => []);
  for (const [name, kind] of known) table[name.length]!.push({ name: ascii(name), kind });
  return table;
})();

const PROXY_PREFIX = ascii('proxy-');
const FORWARDED_PREFIX = ascii('x-forwarded');
/** How proxies name the fields in which they describe a client's certificate. */
const CERTIFICATE_PREFIXES = [
  'client-cert',
  'ssl-client-',
  'x-amzn-mtls-',
  'x-arr-clientcert',
  'x-client-cert',
  'x-client-dn',
  'x-client-verify',
  'x-forwarded-client-cert',
  'x-forwarded-ssl-client-',
  'x-forwarded-tls-client-',
  'x-ssl-',
].map(ascii);
/** By their first letter, in lower case. */
const CERTIFICATE_BY_LETTER: readonly (readonly Uint8Array[] | undefined)[] = Array.from(
  { length: 256 },
  (_, letter) => {
    const own = CERTIFICATE_PREFIXES.filter(([first]) => first === letter);
    return own.length === 0 ? undefined : own;
  },
);
const LOWER_CASE = 32;
const DASH = 45;
const UNDERSCORE = 95;

function classify(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const candidates = BY_LENGTH[length];
  if (candidates !== undefined) {
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (isWord(bytes, start, end, candidate.name)) return candidate.kind;
    }
  }
  if (startsWith(bytes, start, end, PROXY_PREFIX)) return Field.proxy;
  if (isOfCertificate(bytes, start, end)) return Field.clientCertificate;
  return startsWith(bytes, start, end, FORWARDED_PREFIX) ? Field.claim : Field.other;
}

function isOfCertificate(bytes: Uint8Array, start: number, end: number): boolean {
  const prefixes = CERTIFICATE_BY_LETTER[bytes[start]! | LOWER_CASE];
  if (prefixes === undefined) return false;
  for (let i = 0; i < prefixes.length; i++) {
    if (startsWith(bytes, start, end, prefixes[i]!)) return true;
  }
  return false;
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  const { length } = prefix;
  return end - start >= length && isWord(bytes, start, start + length, prefix);
}

/** Whether the name would have a meaning here if its `_` were `-`. */
function isTwin(bytes: Uint8Array, start: number, end: number): boolean {
  const dashed = Uint8Array.from(bytes.subarray(start, end));
  for (let i = 0; i < dashed.length; i++) if (dashed[i] === UNDERSCORE) dashed[i] = DASH;
  return classify(dashed, 0, dashed.length) !== Field.other;
}

/** Integers per field: kind, name start, name end, value start, value end. */
const STRIDE = 5;

/** Positions of the fields of the last parsed head in its buffer. One per parser, reused for each head. */
export class FieldTable {
  count = 0;
  /** Position of the blank line's CR: where the last field line ends. */
  end = 0;
  #slots: Int32Array;
  #capacity: number;
  #marksUnderscores: boolean;
  #seen = 0;

  /** `marksUnderscores`: marks every name with `_`, not only those that would be known with `-`. */
  constructor(capacity: number, marksUnderscores = false) {
    this.#capacity = capacity;
    this.#marksUnderscores = marksUnderscores;
    this.#slots = new Int32Array(capacity * STRIDE);
  }

  /** From the next head on; the one that was parsed last is forgotten. */
  configure(capacity: number, marksUnderscores = false): void {
    this.#marksUnderscores = marksUnderscores;
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#slots = new Int32Array(capacity * STRIDE);
    this.count = 0;
  }

  /** Whether there is a field of this kind. */
  has(kind: number): boolean {
    return (this.#seen & (1 << kind)) !== 0;
  }

  /** Whether the line is `Name: value`, with one space and nothing after the value. */
  isPlain(bytes: Uint8Array, index: number): boolean {
    const gap = this.valueStart(index) - this.nameEnd(index);
    const rest = this.lineEnd(index) - this.valueEnd(index);
    return gap === 2 && rest === 2 && bytes[this.nameEnd(index) + 1] === SP;
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

  /** Reads field lines up to and including the blank line, strictly left to right. Returns the position after it. */
  parse(bytes: Uint8Array, from: number, end: number): number {
    this.count = 0;
    this.#seen = 0;
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
    let flags = 0;
    for (; i < end; i++) {
      const flag = NAME[bytes[i]!]!;
      if (flag === 0) break;
      flags |= flag;
    }
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
    const kind =
      (flags & HAS_UNDERSCORE) === 0
        ? classify(bytes, from, nameEnd)
        : this.#underscoredKind(bytes, from, nameEnd);
    this.#seen |= 1 << kind;
    slots[slot] = kind;
    slots[slot + 1] = from;
    slots[slot + 2] = nameEnd;
    slots[slot + 3] = valueStart;
    slots[slot + 4] = valueEnd;
    return i + 2;
  }

  #underscoredKind(bytes: Uint8Array, start: number, end: number): number {
    return this.#marksUnderscores || isTwin(bytes, start, end) ? Field.underscored : Field.other;
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
