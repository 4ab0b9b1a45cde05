import { CliError } from '../base/cli-error.ts';

/*
 * JSONPath templates as in kubectl (https://kubernetes.io/docs/reference/kubectl/jsonpath/): text with {paths},
 * {range}..{end}, quoted text, indexes [0] and [0,1], slices [from:to], wildcards [*], recursive descent (..name), and
 * filters that compare a field with a value or test that it exists. Nothing else.
 */

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'range'; readonly steps: readonly Step[]; readonly body: readonly Node[] };

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'all' }
  | { readonly kind: 'deep'; readonly name: string }
  | { readonly kind: 'index'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly kind: 'filter'; readonly filter: Filter };

interface Filter {
  readonly steps: readonly Step[];
  readonly operator: string | undefined;
  readonly value: unknown;
}

function broken(template: string, why: string): CliError {
  return new CliError(`error: error parsing jsonpath ${template}, ${why}`);
}

/** Fills in a template. Throws a {@link CliError} when it cannot be parsed. */
export function jsonPathText(template: string, data: unknown): string {
  const source = template.includes('{') ? template : `{${template}}`;
  return textOf(parse(source), data);
}

/** The values at one path, e.g. `.metadata.name`; braces and the leading dot are optional. */
export function valuesAt(path: string, data: unknown): unknown[] {
  const bare = path.replace(/^\{(.*)\}$/s, '$1');
  const dotted = /^[.[$@]/.test(bare) ? bare : `.${bare}`;
  return follow(parsePath(dotted, path), data, data);
}

function textOf(nodes: readonly Node[], data: unknown, root: unknown = data): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      const values = follow(node.steps, data, root);
      if (node.kind === 'path') return values.map(shown).join(' ');
      return values.map((value) => textOf(node.body, value, root)).join('');
    })
    .join('');
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : JSON.stringify(value);
}

function parse(template: string): Node[] {
  const stack: { steps: readonly Step[]; body: Node[] }[] = [{ steps: [], body: [] }];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const top = stack.at(-1) as { body: Node[] };
    if (open !== at) {
      top.body.push({ kind: 'text', text: template.slice(at, open === -1 ? undefined : open) });
    }
    if (open === -1) break;
    const close = closing(template, open);
    const inner = template.slice(open + 1, close).trim();
    at = close + 1;
    if (inner.startsWith('range ')) {
      stack.push({ steps: parsePath(inner.slice(6).trim(), template), body: [] });
    } else if (inner === 'end') {
      const range = stack.pop();
      const outer = stack.at(-1);
      if (range === undefined || outer === undefined) throw broken(template, 'end without range');
      outer.body.push({ kind: 'range', ...range });
    } else if (/^["']/.test(inner)) top.body.push({ kind: 'text', text: unquoted(inner) });
    else if (inner !== '') top.body.push({ kind: 'path', steps: parsePath(inner, template) });
  }
  if (stack.length > 1) throw broken(template, 'range without end');
  return stack[0]?.body ?? [];
}

/** Position of the closing brace; braces inside quotes do not count. */
function closing(template: string, open: number): number {
  let quote = '';
  for (let i = open + 1; i < template.length; i++) {
    const letter = template[i] as string;
    if (quote !== '') {
      if (letter === '\\') i++;
      else if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '}') return i;
  }
  throw broken(template, 'unclosed action');
}

function unquoted(text: string): string {
  const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

const FIELD = /^\.((?:\\.|[^.[\]\\\s])+)/;
const QUOTED = /^\[(["'])((?:\\.|(?!\1).)*)\1\]/;
const INDEXES = /^\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]/;
const SLICE = /^\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]/;

function parsePath(path: string, template: string): Step[] {
  const steps: Step[] = [];
  let rest = path.replace(/^[$@]/, '');
  if (rest !== '' && !/^[.[]/.test(rest)) rest = `.${rest}`;
  while (rest !== '' && rest !== '.') {
    const [step, length] = nextStep(rest, template);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function nextStep(rest: string, template: string): [Step, number] {
  if (rest.startsWith('[?(')) return filterStep(rest, template);
  for (const all of ['.*', '[*]']) if (rest.startsWith(all)) return [{ kind: 'all' }, all.length];
  if (rest.startsWith('..')) {
    const below = FIELD.exec(rest.slice(1));
    if (below !== null) return [{ kind: 'deep', name: plainName(below[1]) }, below[0].length + 1];
  }
  const field = FIELD.exec(rest);
  if (field !== null) return [{ kind: 'field', name: plainName(field[1]) }, field[0].length];
  const quoted = QUOTED.exec(rest);
  if (quoted !== null) return [{ kind: 'field', name: plainName(quoted[2]) }, quoted[0].length];
  const indexes = INDEXES.exec(rest);
  if (indexes !== null) {
    return [
      { kind: 'index', indexes: (indexes[1] ?? '').split(',').map(Number) },
      indexes[0].length,
    ];
  }
  const slice = SLICE.exec(rest);
  if (slice !== null) {
    const [text, from, to] = slice;
    const number = (digits: string | undefined) =>
      digits === undefined ? undefined : Number(digits);
    return [{ kind: 'slice', from: number(from), to: number(to) }, text.length];
  }
  throw broken(template, `unrecognized character in action: ${rest}`);
}

const plainName = (name = '') => name.replaceAll(/\\(.)/g, '$1');

function filterStep(rest: string, template: string): [Step, number] {
  const end = rest.indexOf(')]');
  if (end === -1) throw broken(template, 'unclosed filter');
  const inner = rest.slice(3, end).trim();
  const [, left = '', operator, right] = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/.exec(inner) ?? [
    inner,
    inner,
  ];
  const value = right === undefined ? undefined : literal(right.trim());
  const filter = { steps: parsePath(left.trim(), template), operator, value };
  return [{ kind: 'filter', filter }, end + 2];
}

function literal(text: string): unknown {
  if (/^["'].*["']$/s.test(text)) return unquoted(text);
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function follow(steps: readonly Step[], data: unknown, root: unknown): unknown[] {
  let values: unknown[] = [data];
  for (const step of steps) values = values.flatMap((value) => advance(step, value, root));
  return values;
}

function advance(step: Step, value: unknown, root: unknown): unknown[] {
  const list = Array.isArray(value) ? (value as unknown[]) : undefined;
  switch (step.kind) {
    case 'field': {
      const next = (value as Record<string, unknown> | null | undefined)?.[step.name];
      return next === undefined ? [] : [next];
    }
    case 'all':
      return typeof value === 'object' && value !== null ? Object.values(value) : [];
    case 'index':
      return step.indexes.flatMap((index) => list?.at(index) ?? []);
    case 'slice':
      return list?.slice(step.from, step.to) ?? [];
    case 'deep':
      return deep(step.name, value);
    default:
      return (list ?? []).filter((one) => holds(step.filter, one, root));
  }
}

function deep(name: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = (value as Record<string, unknown>)[name];
  const below = Object.values(value).flatMap((one) => deep(name, one));
  return own === undefined ? below : [own, ...below];
}

function holds({ steps, operator, value }: Filter, data: unknown, root: unknown): boolean {
  const [left] = follow(steps, data, root);
  switch (operator) {
    case undefined:
      return left !== undefined;
    case '==':
      return left === value;
    case '!=':
      return left !== value;
    default: {
      const order = Number(left) - Number(value);
      if (operator === '<') return order < 0;
      if (operator === '>') return order > 0;
      return operator === '<=' ? order <= 0 : order >= 0;
    }
  }
}
