import { COLON, HOST_NAME, IP_LITERAL, isDigit } from './bytes.ts';

const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/**
 * Validates `host[:port]`. Returns where the host ends, or -1 when invalid. An empty host is refused, as RFC 9110
 * section 4.2.1 requires for http; user information is not part of the grammar, so it is refused too.
 */
export function authorityHostEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (bytes[i] === OPEN_BRACKET && i < end) {
    i++;
    while (i < end && IP_LITERAL[bytes[i]!] === 1) i++;
    if (i === end || bytes[i] !== CLOSE_BRACKET || i === start + 1) return -1;
    i++;
  } else {
    while (i < end && HOST_NAME[bytes[i]!] === 1) i++;
  }
  if (i === start) return -1;
  return isPortSuffix(bytes, i, end) ? i : -1;
}

function isPortSuffix(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  if (bytes[start] !== COLON || end - start > 6) return false;
  for (let i = start + 1; i < end; i++) if (!isDigit(bytes[i]!)) return false;
  return true;
}
