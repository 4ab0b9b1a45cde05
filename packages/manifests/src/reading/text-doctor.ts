import type { ManifestFault } from './fault.ts';

const QUOTES = /[“”„‟‘’‚‛«»]/u;
const DASHES = /^(\s*)[–—−](\s)/u;
const INDENT_TAB = /^[ ]*\t/;
/** A comment as other languages write it, after a value or alone on its line. */
const DASH_COMMENT = /(^\s*|\s)--(\s+\S.*)$/;

/** The mistakes that copying from web pages and slides makes: found in the text, before YAML is asked. */
export function diagnoseText(text: string): ManifestFault[] {
  return text.split('\n').flatMap((line, i) => {
    const code = line.replace(/(^|\s)#.*$/, '');
    const at = (column: number, message: string, fix: string): ManifestFault => {
      return { line: i + 1, column: column + 1, field: '', message, fix };
    };
    if (INDENT_TAB.test(line)) {
      const message = 'a tab in the indentation: YAML takes spaces only';
      return [at(line.indexOf('\t'), message, 'replace each tab by two spaces')];
    }
    const quote = QUOTES.exec(code);
    if (quote !== null) {
      const message = `a typographic quote ${quote[0]}: it is taken as part of the text`;
      return [at(quote.index, message, `write " or ' instead`)];
    }
    const dash = DASHES.exec(code);
    if (dash !== null) {
      const message = 'a typographic dash where a list item begins';
      return [at(dash[1]?.length ?? 0, message, 'write - instead')];
    }
    const comment = DASH_COMMENT.exec(code);
    if (comment !== null && !line.startsWith('---') && !/["']/.test(code)) {
      const message = `'--' is no comment in YAML: ${comment[1]?.trim() === '' && comment.index === 0 ? 'the line' : 'the rest of the line'} is taken as a value`;
      return [at(comment.index + (comment[1]?.length ?? 0), message, 'write # instead of --')];
    }
    return [];
  });
}
