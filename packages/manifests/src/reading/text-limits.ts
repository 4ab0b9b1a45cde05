import { Lexer } from 'yaml';
import type { ManifestFault } from './fault.ts';

/** Maximum nesting of brackets and braces. A manifest has seven levels. */
const MAX_DEPTH = 64;
/** Maximum number of tokens: marks, values, line ends. A dense line has about twenty. */
const MAX_TOKENS = 1_000_000;
/** Maximum number of aliases, which repeat an anchor. */
const MAX_ALIASES = 1_000;

/**
 * Checks a text before it is composed: the composer may need minutes for a text that the lexer can reject at once.
 * Undefined = it may be composed.
 */
export function limitFault(text: string, maxDocuments: number): ManifestFault | undefined {
  let depth = 0;
  let tokens = 0;
  let aliases = 0;
  let documents = 1;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    const [first] = token;
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    else if (token === '---') documents++;
    else if (first === '*') aliases++;
    if (depth > MAX_DEPTH) return faultAt(text, offset, `at most ${MAX_DEPTH} levels`);
    if (++tokens > MAX_TOKENS) return faultAt(text, offset, `at most ${MAX_TOKENS} marks`);
    if (aliases > MAX_ALIASES) return faultAt(text, offset, `at most ${MAX_ALIASES} aliases`);
    if (documents > maxDocuments) {
      return faultAt(text, offset, `at most ${maxDocuments} documents`);
    }
    if (first !== undefined && first >= ' ' && first !== '\u007f') offset += token.length;
    else if (first === '\n' || first === '\r' || first === '\t') offset += token.length;
  }
  return undefined;
}

/** Whether the brackets of a JSON text are nested deeper than any body of the API. */
export function isTooDeep(json: string, maxDepth = MAX_DEPTH): boolean {
  // Most bodies have fewer brackets than allowed levels, and counting them is much faster than reading every character.
  if (countUpTo(json, '[', maxDepth) + countUpTo(json, '{', maxDepth) <= maxDepth) return false;
  let depth = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (isText) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) isText = false;
    } else if (code === QUOTE) isText = true;
    else if (code === BRACKET || code === BRACE) {
      if (++depth > maxDepth) return true;
    } else if (code === BRACKET_END || code === BRACE_END) depth--;
  }
  return false;
}

/** How often a text contains a character; stops counting above `max`. */
function countUpTo(text: string, character: string, max: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= max; count++) {
    at = text.indexOf(character, at + 1);
  }
  return count;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

function faultAt(text: string, offset: number, expected: string): ManifestFault {
  const before = text.slice(0, offset).split('\n');
  const message = `expected ${expected}`;
  const fix = 'split it into several files';
  return { line: before.length, column: (before.at(-1) ?? '').length + 1, field: '', message, fix };
}
