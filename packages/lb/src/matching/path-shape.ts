/**
 * The paths of a pattern:
 *
 * - `one`: only `text`
 * - `below`: `text` itself, and what comes after it and a slash
 * - `beginning`: everything that begins with `text`
 * - `expression`: what the expression `text` matches, which can only be tried
 */
export interface PathShape {
  readonly kind: 'one' | 'below' | 'beginning' | 'expression';
  readonly text: string;
}

/** `literal`: what all its paths begin with. */
export function shapeOfGlob(glob: string, literal: string): PathShape {
  if (glob === literal) return { kind: 'one', text: literal };
  if (glob === `${literal}**`) return { kind: 'beginning', text: literal };
  return { kind: 'expression', text: `glob ${glob}` };
}

/** `literal`: what all its paths begin with. No path has a line end, the only character that `.` leaves out. */
export function shapeOfRegex(regex: string, literal: string): PathShape {
  if (regex === literal) return { kind: 'one', text: literal };
  if (regex === `${literal}.*`) return { kind: 'beginning', text: literal };
  if (literal !== '' && regex === `${literal}(/.*)?`) return { kind: 'below', text: literal };
  return { kind: 'expression', text: `regex ${regex}` };
}
