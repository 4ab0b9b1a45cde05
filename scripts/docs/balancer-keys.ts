import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One key of the balancer's file. */
interface KeyRow {
  /** `targetGroups.NAME.healthCheck.path`. */
  readonly key: string;
  readonly fallback: string;
  readonly text: string;
}

interface Member {
  readonly name: string;
  /** The comment above it. */
  readonly comment: string;
  /** The schema, as it is written. */
  readonly schema: string;
}

/** Source files with `const NAME = object({...})`, `const NAME = {...}` and `interface NAME {...}`. */
const SOURCES = [
  'packages/lb/src/config/access-log-schema.ts',
  'packages/lb/src/config/schema.ts',
  'packages/lb/src/config/group-schema.ts',
  'packages/lb/src/config/ingress-schema.ts',
  'packages/lb/src/config/limits-schema.ts',
  'packages/lb/src/config/request-id-schema.ts',
  'packages/lb/src/config/rule-schema.ts',
  'packages/lb/src/config/source-schema.ts',
  'packages/lb/src/config/tls-schema.ts',
  'packages/dataplane/src/model/options.ts',
];

const BLOCK = /^(?:export )?(?:const (\w+) = (?:object\()?|interface (\w+) )\{\n([^]*?)^\}/gm;
/** A member that begins at the first level, with the comment above it. */
const MEMBER =
  /(?:^ {2}\/\*\*([^]*?)\*\/\n)?^ {2}(?:readonly )?(\.{3})?(\w+)([:,][^]*?)(?=^ {2}(?:\/\*\*|[\w.])|(?![^]))/gm;

/**
 * Every key of the balancer's file, with its default and what it does. Read from the source of the schema, because the
 * texts are in the comments there. A key without a comment is listed without a text.
 */
export function balancerKeys(root: string): KeyRow[] {
  const blocks = new Map<string, Member[]>();
  for (const source of SOURCES) {
    const code = readFileSync(join(root, source), 'utf8');
    for (const [, constant, type, body = ''] of code.matchAll(BLOCK)) {
      const name = constant ?? type ?? '';
      // The schema comes first; of the data plane only what it has alone.
      if (!blocks.has(name)) blocks.set(name, membersOf(body));
    }
  }
  return rowsOf('ConfigSchema', '', blocks);
}

function membersOf(body: string): Member[] {
  return [...body.matchAll(MEMBER)].map(
    ([, comment = '', spread = '', name = '', schema = '']) => ({
      name: spread + name,
      comment: comment
        .replaceAll(/^\s*\* ?/gm, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
      schema,
    }),
  );
}

function rowsOf(
  block: string,
  prefix: string,
  blocks: ReadonlyMap<string, readonly Member[]>,
): KeyRow[] {
  return (blocks.get(block) ?? []).flatMap((member): KeyRow[] => {
    const { name, schema } = member;
    if (name.startsWith('...')) return rowsOf(name.slice(3), prefix, blocks);
    const inner = schema.match(/\b\w+\b/g)?.find((word) => blocks.has(word));
    const key = `${prefix}${name}`;
    if (inner === undefined) return [rowOf(member, key, blocks)];
    const step = /\.array\(/.test(schema) ? '[]' : /\.record\(/.test(schema) ? '.NAME' : '';
    const head = member.comment === '' ? [] : [{ key, ...partsOf(member.comment) }];
    return [...head, ...rowsOf(inner, `${key}${step}.`, blocks)];
  });
}

/** The data plane describes what the schema takes from it. */
const DESCRIBED = { HTTP_TIMEOUTS: 'HttpTimeouts', HTTP_LIMITS: 'HttpLimits' };

function rowOf(
  { name, comment, schema }: Member,
  key: string,
  blocks: ReadonlyMap<string, readonly Member[]>,
): KeyRow {
  const [, type = ''] = Object.entries(DESCRIBED).find(([one]) => schema.includes(`${one}.`)) ?? [];
  const described = blocks.get(type)?.find((one) => one.name === name);
  return { key, ...partsOf(described?.comment ?? comment) };
}

/** `@default` ends a comment. */
function partsOf(comment: string): Omit<KeyRow, 'key'> {
  const [text = '', fallback = ''] = comment.split('@default');
  return { text: text.trim(), fallback: fallback.trim() };
}
