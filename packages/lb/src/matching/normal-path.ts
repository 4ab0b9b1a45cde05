const PERCENT = 37;
const SLASH = 47;
const DOT = 46;
const BACKSLASH = 92;

/** Characters that mean the same with and without percent-encoding (RFC 3986 section 2.3). */
const UNRESERVED = /[A-Za-z0-9._~-]/;
const ENCODED = /%([0-9A-Fa-f]{2})?/g;

/**
 * The form of a path in which rules compare it: letters, digits and `-._~` decoded, other encodings in upper case, no
 * `.` and `..` segments, no empty segments. Undefined: nobody can say what the target would take it for, because of an
 * encoded slash, backslash or NUL, of a backslash, of `%` without two digits, or of `..` above the root.
 */
export function normalPath(path: string): string | undefined {
  if (isNormal(path)) return path;
  const decoded = decode(path);
  return decoded === undefined ? undefined : withoutDots(decoded);
}

/** Nearly every path is normal already, and costs one look at its characters. */
function isNormal(path: string): boolean {
  let last = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT || code === BACKSLASH) return false;
    if (last === SLASH && (code === SLASH || code === DOT)) return false;
    last = code;
  }
  return true;
}

function decode(path: string): string | undefined {
  if (path.includes('\\')) return undefined;
  let isClear = true;
  const decoded = path.replaceAll(ENCODED, (encoded: string, digits: string | undefined) => {
    if (digits === undefined) {
      isClear = false;
      return '';
    }
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    if (character === '/' || character === '\\' || character === '\0') isClear = false;
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
  return isClear ? decoded : undefined;
}

function withoutDots(path: string): string | undefined {
  const segments = path.split('/').slice(1);
  const kept: string[] = [];
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    if (segment === '..' && kept.pop() === undefined) return undefined;
    const isName = segment !== '' && segment !== '.' && segment !== '..';
    if (isName) kept.push(segment);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
