import { Document, visit } from 'yaml';
import { isHiding, visibleJson, visibleYaml } from './untrusted.ts';

/** What a document is written with. */
interface Writing {
  /** Shows a terminal nothing that it would obey or hide. The document says the same. */
  readonly isForTerminal: boolean;
  /** Spaces of a level; 0 = all on one line. @default 4 */
  readonly indent?: number;
}

export function jsonText(data: unknown, { isForTerminal, indent = 4 }: Writing): string {
  const text = `${JSON.stringify(data, null, indent)}\n`;
  return isForTerminal ? visibleJson(text) : text;
}

/** YAML as kubectl writes it: no line folding, no anchors. */
export function yamlText(data: unknown, { isForTerminal }: Writing): string {
  const document = new Document(data, {
    aliasDuplicateObjects: false,
    sortMapEntries: true,
    // What YAML 1.1 readers, Kubernetes' own among them, would not take for a text is quoted.
    version: '1.1',
  });
  if (isForTerminal) {
    // Only in double quotes has YAML other spellings for a letter.
    visit(document, {
      Scalar: (_, node) => {
        if (typeof node.value === 'string' && isHiding(node.value)) node.type = 'QUOTE_DOUBLE';
      },
    });
  }
  const text = document.toString({ lineWidth: 0, indentSeq: false });
  return isForTerminal ? visibleYaml(text) : text;
}
