/** Byte classes of RFC 9110 and RFC 9112 as tables: one lookup per byte decides. */
export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
export const SLASH = 47;

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function tableOfRange(first: number, last: number, except: string): Uint8Array {
  const table = new Uint8Array(256).fill(1, first, last + 1);
  for (const character of except) table[character.charCodeAt(0)] = 0;
  return table;
}

/** `tchar`: methods and field names. */
export const TOKEN = tableOf(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`);
/** Flag in NAME, in addition to the token flag. */
export const HAS_UNDERSCORE = 2;
/** Like TOKEN, with a flag for `_`: in the CGI form of a name, `_` also stands for `-`. */
export const NAME = TOKEN.map((isToken, byte) => (byte === 95 ? 1 | HAS_UNDERSCORE : isToken));
/** Field values: visible characters, space, tab and obs-text; no other control characters. */
export const FIELD_VALUE = tableOfRange(32, 255, '\x7f').fill(1, HTAB, HTAB + 1);
/** Request targets: visible ASCII without `#`, which must not appear on the wire. */
export const TARGET = tableOfRange(33, 126, '#');
/** A registered name or IPv4 address, without `:` and brackets. */
export const HOST_NAME = tableOf(`-._~%!$&'()*+,;=${DIGITS}${LETTERS}`);
/** Inside `[...]`. */
export const IP_LITERAL = tableOf(`:.${DIGITS}abcdefABCDEF`);

export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/**
 * Compares with a lower-case word, ignoring the case of letters. Callers have checked that the bytes are tokens, so
 * setting bit 5 cannot make two different characters equal.
 */
export function isWord(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  const length = lower.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) {
    if ((bytes[start + i]! | 32) !== lower[i]) return false;
  }
  return true;
}

/** Compares byte by byte. */
export function equalBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  expected: Uint8Array,
): boolean {
  const length = expected.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Parses up to 15 digits, so that every value is exact; -1 for anything else. */
export function decimal(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (!isDigit(byte)) return -1;
    value = value * 10 + byte - 48;
  }
  return value;
}
