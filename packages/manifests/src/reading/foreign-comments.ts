/** What other languages begin a comment with. */
const SIGN = String.raw`--(?!-)|//|/\*|;|<!--`;
/** Alone on its line. */
const ALONE = new RegExp(String.raw`^(\s*)(${SIGN})(?=\s*\S)`);
/** Where a value is to stand: then a space sets it off from a text that begins so, such as an option or a path. */
const INSTEAD = new RegExp(String.raw`^(.*[:-]\s+)(${SIGN})(?=\s+\S)`);
/** Behind a value; behind a number without a space as well. */
const BEHIND = new RegExp(String.raw`^(.*?(?:[^\s:-]\s+|:\s+\d+))(${SIGN})`);
/** Behind a number, where YAML wants a space before it. */
const ATTACHED = /^(.*?:\s+\d+)(#)(?=\S)/;
/** As statements end elsewhere. */
const END = /^(.*[^\s:;])(;)\s*$/;

const QUOTED = /"(?:[^"\\]|\\.)*"|'[^']*'/g;
/** Longer lines are no line that somebody commented on. */
const LONGEST = 1_000;

/** Something in a line that was meant as a comment. */
export interface ForeignComment {
  /** From 0. */
  readonly column: number;
  readonly message: string;
  readonly fix: string;
  /** False: as a text it may be meant, unless the line turns out to be wrong. */
  readonly isSure: boolean;
}

/** What was meant as a comment in a line, from which those of YAML were taken. */
export function foreignComment(code: string): ForeignComment | undefined {
  if (code.length > LONGEST || code.startsWith('---')) return undefined;
  const bare = code.replaceAll(QUOTED, (text) => '_'.repeat(text.length));
  const found = (pattern: RegExp) => {
    const [, before = '', sign = ''] = pattern.exec(bare) ?? [];
    // A quote that is not closed before it: it stands inside of a text.
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
