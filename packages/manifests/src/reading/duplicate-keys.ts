import { type Document, isScalar, type Range, visit } from 'yaml';
import type { YAMLParseError } from 'yaml';

/**
 * Duplicate keys of mappings. The parser could find them too, but it compares each key with each other one: a mapping
 * with thousands of keys would block the server for seconds.
 */
export function duplicateKeys(
  document: Document.Parsed,
): Pick<YAMLParseError, 'code' | 'message' | 'pos'>[] {
  const found: Pick<YAMLParseError, 'code' | 'message' | 'pos'>[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const [from, to] = (key.range as Range | undefined) ?? [0, 0];
        if (seen.has(key.value)) {
          found.push({
            code: 'DUPLICATE_KEY',
            message: 'Map keys must be unique',
            pos: [from, to],
          });
        }
        seen.add(key.value);
      }
    },
  });
  return found;
}
