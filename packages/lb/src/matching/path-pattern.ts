import { RE2JS } from 're2js';

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
  if ('glob' in config)
    return compiled('glob', regexOfGlob(config.glob), literalOfGlob(config.glob));
  return compiled('regex', config.regex, literalOfRegex(config.regex));
}

function exactOf(path: string): PathPattern {
  return pattern('exact', path, (other) => other === path);
}

/** `/api` itself and `/api/...`, but not `/apix`. */
function prefixOf(prefix: string): PathPattern | undefined {
  if (prefix === '') return undefined;
  const isBelow = (path: string): boolean =>
    path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
  return { ...pattern('prefix', prefix, isBelow), prefixLength: prefix.length };
}

function compiled(kind: 'glob' | 'regex', source: string, literal: string): PathPattern {
  const regex = RE2JS.compile(source);
  return {
    ...pattern(kind, literal, (path) => regex.testExact(path)),
    expand(path, text) {
      const matcher = regex.matcher(path);
      if (!matcher.matches()) return text;
      return text.replaceAll(/\$(\d)/g, (_, group: string) =>
        Number(group) > matcher.groupCount() ? '' : (matcher.group(Number(group)) ?? ''),
      );
    },
  };
}

function pattern(kind: Kind, literal: string, matches: (path: string) => boolean): PathPattern {
  const expand = (_: string, text: string): string => text;
  return { kind, literal, matches, prefixLength: 0, expand, rank: KINDS.indexOf(kind) };
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
