/** The starts of comments in other languages. */
const SIGN = String.raw`--(?!-)|//|/\*|;|<!--`;
/** Alone on its line. */
const ALONE = new RegExp(String.raw`^(\s*)(${SIGN})(?=\s*\S)`);
/** In place of a value. The space after it tells it from a text with the same start, such as an option or a path. */
const INSTEAD = new RegExp(String.raw`^(.*[:-]\s+)(${SIGN})(?=\s+\S)`);
/** After a value; after a number even without a space. */
const BEHIND = new RegExp(String.raw`^(.*?(?:[^\s:-]\s+|:\s+\d+))(${SIGN})`);
/** After a number, where YAML needs a space before it. */
const ATTACHED = /^(.*?:\s+\d+)(#)(?=\S)/;
/** The end of a statement in other languages. */
const END = /^(.*[^\s:;])(;)\s*$/;

const QUOTED = /"(?:[^"\\]|\\.)*"|'[^']*'/g;
/** Longer lines are not checked: no person comments on them. */
const LONGEST = 1_000;

/** A part of a line that was meant as a comment. */
export interface ForeignComment {
  /** From 0. */
  readonly column: number;
  readonly message: string;
  readonly fix: string;
  /** False: it may be meant as text, unless its line turns out to be wrong. */
  readonly isSure: boolean;
}

/** Finds what was meant as a comment in a line without its YAML comment. */
export function foreignComment(code: string): ForeignComment | undefined {
  if (code.length > LONGEST || code.startsWith('---')) return undefined;
  const bare = code.replaceAll(QUOTED, (text) => '_'.repeat(text.length));
  const found = (pattern: RegExp) => {
    const [, before = '', sign = ''] = pattern.exec(bare) ?? [];
    // An open quote before it: it is inside of a text.
    return sign === '' || /["']/.test(before) ? undefined : { column: before.length, sign };
  };
  const sure = found(ALONE) ?? found(INSTEAD);
  if (sure !== undefined) return told(sure, { isAlone: sure.column === bare.search(/\S/) });
  const unsure = found(BEHIND);
  const end = found(END);
  const isEnd = end !== undefined && (unsure === undefined || end.column <= unsure.column);
  if (isEnd) {
    const message = "';' ends no line in YAML: it is taken as part of the value";
    return { column: end.column, message, fix: 'leave the ; out', isSure: false };
  }
  if (unsure !== undefined) return { ...told(unsure, { isAlone: false }), isSure: false };
  const attached = found(ATTACHED);
  if (attached === undefined) return undefined;
  const message = 'no space before #: the rest of the line is taken as part of the value';
  return { column: attached.column, message, fix: 'write a space before #', isSure: false };
}

function told(
  { column, sign }: { readonly column: number; readonly sign: string },
  { isAlone }: { readonly isAlone: boolean },
): ForeignComment {
  const what = isAlone ? 'the line' : 'the rest of the line';
  const message = `'${sign}' is no comment in YAML: ${what} is taken as a value`;
  return { column, message, fix: `write # instead of ${sign}`, isSure: true };
}
