import type { ManifestFault } from './fault.ts';
import { foreignComment } from './foreign-comments.ts';

/** One mistake in a line: column (from 0), what is wrong, what to write, and whether it is always a mistake. */
type Finding = readonly [column: number, message: string, fix: string, isSure?: boolean];

/** A mistake that is visible in the text alone. */
export interface TextFinding extends ManifestFault {
  /** False: it is a mistake only if something else is wrong with its line. */
  readonly isSure: boolean;
}

/** A line, with and without its comment. */
interface Line {
  readonly line: string;
  readonly code: string;
}

const QUOTES = /[“”„‟‘’‚‛«»]/u;
const ITEM_DASH = /^(\s*)[–—−](\s)/u;
const MARK_DASHES = /^[-–—−]{1,3}\s*$/u;
const INDENT_TAB = /^[ ]*\t/;
const NO_BREAK_SPACE = /^\s*[^\s"'#]*[\u00a0\u202f]/u;
const KEYS =
  'apiVersion|kind|metadata|name|namespace|labels|selector|spec|type|ports?|targetPort|nodePort|protocol|clusterIP|externalName|sessionAffinity|replicas|app';
/** `type:NodePort`: without a space, YAML reads all of it as one string. */
const NO_SPACE = new RegExp(`^\\s*(?:- )?((?:${KEYS}):)([^\\s:/].*)$`);

function quote({ code }: Line): Finding | undefined {
  const found = QUOTES.exec(code);
  if (found === null) return undefined;
  const message = `a typographic quote ${found[0]}: it is read as part of the string`;
  return [found.index, message, `write " or ' instead`];
}

function dash({ code }: Line): Finding | undefined {
  if (MARK_DASHES.test(code) && /[–—−]/u.test(code)) {
    return [0, 'a typographic dash where documents are separated', 'write --- instead'];
  }
  const found = ITEM_DASH.exec(code);
  if (found === null) return undefined;
  const message = 'a typographic dash where a list item begins';
  return [found[1]?.length ?? 0, message, 'write - instead'];
}

function comment({ code }: Line): Finding | undefined {
  const found = foreignComment(code);
  return found && [found.column, found.message, found.fix, found.isSure];
}

function space({ code }: Line): Finding | undefined {
  const found = NO_BREAK_SPACE.exec(code);
  if (found !== null) {
    const message = 'a no-break space: it looks like a space and is read as part of the string';
    return [found[0].length - 1, message, 'write a plain space instead'];
  }
  const [text, key = '', value = ''] = NO_SPACE.exec(code) ?? [];
  if (text === undefined) return undefined;
  const message = `no space after "${key}": the whole is read as one string`;
  return [text.indexOf(key), message, `write ${key} ${value.trim()}`];
}

/** Something that was copied along with a manifest but is not part of it. */
function wrapping({ code }: Line): Finding | undefined {
  if (code.startsWith('```')) {
    return [0, 'a fence of Markdown is not part of a manifest', 'leave the line out'];
  }
  if (/^\$ \S/.test(code)) {
    return [0, 'a line of a shell is not part of a manifest', 'leave the line out'];
  }
  const braces = /(^|[\s:])\{\{/.exec(code);
  if (braces === null || /["']/.test(code)) return undefined;
  const message = 'the braces of a template: it has to be filled in first';
  return [braces.index + (braces[1]?.length ?? 0), message, 'write the value itself'];
}

function tab({ line }: Line): Finding | undefined {
  if (!INDENT_TAB.test(line)) return undefined;
  const message = 'a tab in the indentation: YAML takes spaces only';
  return [line.indexOf('\t'), message, 'replace each tab by two spaces'];
}

const EXAMINERS = [tab, wrapping, quote, dash, comment, space];

/** The first line of a block scalar. */
const BLOCK = /^(\s*)(?:.*[:-]\s)?[|>][-+\d]*\s*$/;

/** The lines, and whether each is inside a block scalar, where nothing counts as a mistake. */
function* linesOf(text: string): Generator<Line & { readonly isText: boolean }> {
  let indent = -1;
  for (const line of text.split(/\r?\n/)) {
    const own = line.search(/\S/);
    if (own !== -1 && own <= indent) indent = -1;
    const code = line.replace(/(^|\s)#.*$/, '');
    yield { line, code, isText: indent !== -1 };
    if (indent === -1 && BLOCK.test(code)) indent = own;
  }
}

/**
 * Finds the mistakes of copying from web pages and slides, in the text alone. They explain the errors of the parser and
 * the rules, but are not errors by themselves: a note may well contain typographic quotes.
 */
export function diagnoseText(text: string): TextFinding[] {
  // In JSON a tab is a space, and comments have another form.
  const examiners = /^\s*[{[](?!\{)/.test(text) ? [quote] : EXAMINERS;
  return [...linesOf(text)].flatMap(({ line, code, isText }, i) => {
    for (const examine of isText ? [] : examiners) {
      const [column, message, fix, isSure = true] = examine({ line, code }) ?? [];
      if (column === undefined || message === undefined || fix === undefined) continue;
      return [{ line: i + 1, column: column + 1, field: '', message, fix, isSure }];
    }
    return [];
  });
}
