import { RE2JS } from 're2js';
import { type PathShape, shapeOfGlob, shapeOfRegex } from './path-shape.ts';

/** How a rule names paths. */
export type PathConfig =
  | string
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly glob: string }
  | { readonly regex: string };

/** In the order of precedence, for patterns that begin alike. */
const KINDS = ['exact', 'regex', 'glob', 'prefix'] as const;
type Kind = (typeof KINDS)[number];

/** The paths that a rule is for. */
export interface PathPattern {
  readonly kind: Kind;
  /** Every path of the pattern begins with this. */
  readonly literal: string;
  /** `path`: in its normal form. */
  matches(path: string): boolean;
  /** Length of a prefix, after which a path is kept when the prefix is replaced; 0 for other kinds. */
  readonly prefixLength: number;
  /** For regular expressions: `$1` and the like in a text, replaced by what the groups matched. */
  expand(path: string, text: string): string;
  readonly rank: number;
  /** Its paths, as far as they can be compared with those of other patterns. */
  readonly shape: PathShape;
}

/** Undefined: any path. @throws Error when it is not a pattern. */
export function pathPattern(config: PathConfig | undefined): PathPattern | undefined {
  if (config === undefined) return undefined;
  if (typeof config === 'string') {
    if (config === '/*') return undefined;
    return config.endsWith('/*') ? prefixOf(config.slice(0, -2)) : exactOf(config);
  }
  if ('exact' in config) return exactOf(config.exact);
  if ('prefix' in config) return prefixOf(config.prefix.replace(/\/+$/, ''));
  if ('glob' in config) {
    const { glob } = config;
    const literal = literalOfGlob(glob);
    return compiled(regexOfGlob(glob), pattern('glob', literal, shapeOfGlob(glob, literal)));
  }
  const { regex } = config;
  const literal = literalOfRegex(regex);
  return compiled(regex, pattern('regex', literal, shapeOfRegex(regex, literal)));
}

function exactOf(path: string): PathPattern {
  const matches = (other: string): boolean => other === path;
  return { ...pattern('exact', path, { kind: 'one', text: path }), matches };
}

/** `/api` itself and `/api/...`, but not `/apix`. */
function prefixOf(prefix: string): PathPattern | undefined {
  if (prefix === '') return undefined;
  const matches = (path: string): boolean =>
    path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
  const own = pattern('prefix', prefix, { kind: 'below', text: prefix });
  return { ...own, matches, prefixLength: prefix.length };
}

function compiled(source: string, own: Unmatched): PathPattern {
  const regex = RE2JS.compile(source);
  return {
    ...own,
    matches: (path) => regex.testExact(path),
    expand(path, text) {
      const matcher = regex.matcher(path);
      if (!matcher.matches()) return text;
      return text.replaceAll(/\$(\d)/g, (_, group: string) =>
        Number(group) > matcher.groupCount() ? '' : (matcher.group(Number(group)) ?? ''),
      );
    },
  };
}

type Unmatched = Omit<PathPattern, 'matches'>;

function pattern(kind: Kind, literal: string, shape: PathShape): Unmatched {
  const expand = (_: string, text: string): string => text;
  return { kind, literal, prefixLength: 0, expand, rank: KINDS.indexOf(kind), shape };
}

/** `*`: any characters but `/`; `**`: any characters; `?`: one character but `/`. */
function regexOfGlob(glob: string): string {
  return glob.replaceAll(/\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : RE2JS.quote(part);
  });
}

const literalOfGlob = (glob: string): string => /^[^*?]*/.exec(glob)![0];

/** The characters before the first one with a special meaning; without the last of them if that one is optional. */
function literalOfRegex(regex: string): string {
  if (regex.includes('|')) return '/';
  const [plain = ''] = /^[^\\^$.|?*+()[\]{}]*/.exec(regex) ?? [];
  const next = regex[plain.length];
  const isOptional = next === '?' || next === '*' || next === '{';
  return isOptional ? plain.slice(0, -1) : plain;
}
