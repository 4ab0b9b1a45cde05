import { CliError } from '../base/cli-error.ts';

/*
 * The subset of Go's text/template that one-liners with kubectl use: {{.a.b}}, {{index .list 0}}, (parentheses),
 * "texts", {{range .items}}..{{end}}, {{if .a}}..{{else}}..{{end}}, {{len .list}}. Nothing else.
 */

interface Block {
  readonly word: 'range' | 'if' | '';
  readonly argument: string;
  readonly body: Part[];
  readonly otherwise: Part[];
  isElse: boolean;
}

type Part = string | { readonly expression: string } | Block;

function broken(why: string): CliError {
  return new CliError(`error: error parsing go-template, ${why}`);
}

/** Fills in a template. Throws a {@link CliError} for unsupported syntax. */
export function goTemplateText(template: string, data: unknown): string {
  return textOf(parse(template).body, data);
}

function blockOf(word: Block['word'], argument: string): Block {
  return { word, argument, body: [], otherwise: [], isElse: false };
}

function parse(template: string): Block {
  const root = blockOf('', '');
  const stack = [root];
  for (const [, text = '', action] of template.matchAll(
    /([^]*?)(?:\{\{-?\s*([^]*?)\s*-?\}\}|$)/g,
  )) {
    const top = stack.at(-1) as Block;
    const parts = top.isElse ? top.otherwise : top.body;
    if (text !== '') parts.push(text);
    if (action === undefined) continue;
    const [, word = '', argument = ''] = /^(range|if)\s+([^]+)$/.exec(action) ?? [];
    if (word !== '') {
      const block = blockOf(word as 'range' | 'if', argument);
      parts.push(block);
      stack.push(block);
    } else if (action === 'else') top.isElse = true;
    else if (action === 'end') {
      if (stack.pop() === root) throw broken('unexpected {{end}}');
    } else parts.push({ expression: action });
  }
  if (stack.length > 1) throw broken('unexpected EOF: {{end}} is missing');
  return root;
}

function textOf(parts: readonly Part[], data: unknown): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('expression' in part) return shown(valueOf(part.expression, data));
      const value = valueOf(part.argument, data);
      if (part.word === 'if') return textOf(isTrue(value) ? part.body : part.otherwise, data);
      const items = Object.values(value ?? {});
      if (items.length === 0) return textOf(part.otherwise, data);
      return items.map((item) => textOf(part.body, item)).join('');
    })
    .join('');
}

function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const TOKEN = /\s*(\(|\)|"(?:[^"\\]|\\.)*"|`[^`]*`|\.[\w.-]*|-?\d+|[a-z]+)/y;

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(expression);
    if (found === null) throw broken(`not understood here: ${expression.slice(at)}`);
    tokens.push(found[1] as string);
  }
  return tokens;
}

function valueOf(expression: string, data: unknown): unknown {
  const tokens = tokensOf(expression);
  const value = call(tokens, data);
  if (tokens.length > 0) throw broken(`not understood here: ${tokens.join(' ')}`);
  return value;
}

/** A function with its operands, or one operand. Consumes its tokens. */
function call(tokens: string[], data: unknown): unknown {
  const [first = ''] = tokens;
  if (first !== 'index' && first !== 'len') return operand(tokens, data);
  tokens.shift();
  const values: unknown[] = [];
  while (tokens.length > 0 && tokens[0] !== ')') values.push(operand(tokens, data));
  const [subject, ...keys] = values;
  if (first === 'len') return Object.keys(subject ?? {}).length;
  return keys.reduce(
    (at, key) => (at as Record<string, unknown> | undefined)?.[String(key)],
    subject,
  );
}

function operand(tokens: string[], data: unknown): unknown {
  const token = tokens.shift() ?? '';
  if (token === '(') {
    const value = call(tokens, data);
    if (tokens.shift() !== ')') throw broken('unclosed left paren');
    // A path may follow the parenthesis: (index .spec.ports 0).nodePort
    return tokens[0]?.startsWith('.') === true ? fieldOf(tokens.shift() ?? '', value) : value;
  }
  if (token.startsWith('.')) return fieldOf(token, data);
  if (token.startsWith('"')) return JSON.parse(token);
  if (token.startsWith('`')) return token.slice(1, -1);
  if (/^-?\d+$/.test(token)) return Number(token);
  throw broken(`function "${token}" not defined`);
}

function fieldOf(path: string, data: unknown): unknown {
  const steps = path.split('.').filter((step) => step !== '');
  return steps.reduce((at, step) => (at as Record<string, unknown> | undefined)?.[step], data);
}
