import type { LineCounter, YAMLParseError } from 'yaml';
import type { ManifestFault } from './fault.ts';

/** How to fix errors of the parser, by their code. */
const FIXES: Readonly<Record<string, string>> = {
  BAD_INDENT: 'indent it like the fields beside it',
  MISSING_CHAR: 'close what was opened: a quote, a bracket or a brace',
  DUPLICATE_KEY: 'leave one of the two out',
  MULTILINE_IMPLICIT_KEY: 'look for a missing colon, or a missing space behind one',
  BLOCK_AS_IMPLICIT_KEY: 'quote the text, or put it on a line of its own',
  TAB_AS_INDENT: 'replace each tab by two spaces',
};

/** An error of the YAML parser with its position and, if known, its fix. */
export function syntaxFault(
  { code, message, pos }: Pick<YAMLParseError, 'code' | 'message' | 'pos'>,
  lines: LineCounter,
): ManifestFault {
  const { line, col: column } = lines.linePos(pos[0]);
  const [first = message] = message.split('\n');
  return {
    line,
    column,
    field: '',
    message: first.replace(/ at line.*$/, ''),
    fix: (first.startsWith('Sequence item') ? FIXES['BAD_INDENT'] : FIXES[code]) ?? '',
  };
}
