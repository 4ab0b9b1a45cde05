import { createSourceRanges, type RequestView } from '@rollcall/dataplane';
import { RE2JS } from 're2js';
import { networkBits } from './network.ts';

/** A value, or what a value must be. */
type TextWish = string | { readonly regex: string } | { readonly present: boolean };

/** What a rule may ask for. */
export interface Wishes {
  readonly methods?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, TextWish>> | undefined;
  readonly query?: Readonly<Record<string, TextWish>> | undefined;
  readonly sources?: readonly string[] | undefined;
}

/** What a rule asks of a request besides its host and path. */
export interface Condition {
  /** In words, for explanations and comparisons. */
  readonly words: string;
  /** What it looks at. Conditions of different subjects do not depend on each other. */
  readonly subject: string;
  /** What it asks for, to be compared with what others ask for. */
  readonly wish: Wish;
  holds(request: RequestView): boolean;
}

export type Wish =
  | { readonly kind: 'methods'; readonly of: ReadonlySet<string> }
  /** The bits of the networks, as text: a smaller network begins with the bits of the one that it is part of. */
  | { readonly kind: 'sources'; readonly of: readonly string[] }
  | {
      readonly kind: 'text';
      readonly of: TextWish;
      /** Undefined: there is no such field or parameter. */
      readonly isIt: (value: string | undefined) => boolean;
    };

/** @throws Error when a regular expression is none. */
export function conditionsOf({ methods, headers, query, sources }: Wishes): Condition[] {
  return [
    ...(methods === undefined ? [] : [methodIn(methods)]),
    ...Object.entries(headers ?? {}).map(([name, wanted]) => headerIs(name.toLowerCase(), wanted)),
    ...Object.entries(query ?? {}).map(([name, wanted]) => queryIs(name, wanted)),
    ...(sources === undefined ? [] : [sourceIn(sources)]),
  ];
}

function methodIn(methods: readonly string[]): Condition {
  const wanted = new Set(methods);
  const words = `method ${methods.toSorted().join(' or ')}`;
  const wish = { kind: 'methods', of: wanted } as const;
  return { words, subject: 'method', wish, holds: ({ method }) => wanted.has(method) };
}

function headerIs(name: string, wanted: TextWish): Condition {
  const { words, isIt } = textTest(wanted);
  return {
    words: `header ${name} ${words}`,
    subject: `header ${name}`,
    wish: { kind: 'text', of: wanted, isIt },
    holds: (request) => isIt(request.field(name)),
  };
}

function queryIs(name: string, wanted: TextWish): Condition {
  const { words, isIt } = textTest(wanted);
  return {
    words: `query ${name} ${words}`,
    subject: `query ${name}`,
    wish: { kind: 'text', of: wanted, isIt },
    holds: ({ target }) => isIt(queryValue(target, name)),
  };
}

function sourceIn(sources: readonly string[]): Condition {
  const isIn = createSourceRanges(sources);
  const words = `source in ${sources.toSorted().join(' or ')}`;
  const bits = sources.map(networkBits).filter((one) => one !== undefined);
  const wish = { kind: 'sources', of: bits } as const;
  return { words, subject: 'source', wish, holds: ({ clientAddress }) => isIn(clientAddress) };
}

interface TextTest {
  readonly words: string;
  readonly isIt: (value: string | undefined) => boolean;
}

function textTest(wanted: TextWish): TextTest {
  if (typeof wanted === 'string')
    return { words: `is ${JSON.stringify(wanted)}`, isIt: (value) => value === wanted };
  if ('present' in wanted) {
    const { present } = wanted;
    const words = present ? 'is there' : 'is not there';
    return { words, isIt: (value) => (value !== undefined) === present };
  }
  const regex = RE2JS.compile(wanted.regex);
  const isIt = (value: string | undefined): boolean =>
    value !== undefined && regex.testExact(value);
  return { words: `matches ${wanted.regex}`, isIt };
}

/** The first value of that name, decoded. */
function queryValue(target: string, name: string): string | undefined {
  const start = target.indexOf('?');
  if (start === -1) return undefined;
  return new URLSearchParams(target.slice(start + 1)).get(name) ?? undefined;
}
