import { isHiding, visibleJson, visibleYaml } from './untrusted.ts';

/** Options for writing a document. */
interface Writing {
  /** Escapes characters that a terminal would interpret or hide. The meaning of the document stays the same. */
  readonly isForTerminal: boolean;
  /** Spaces per level; 0 = everything on one line. @default 4 */
  readonly indent?: number;
}

export function jsonText(data: unknown, { isForTerminal, indent = 4 }: Writing): string {
  const text = `${JSON.stringify(data, null, indent)}\n`;
  return isForTerminal ? visibleJson(text) : text;
}

/** YAML in kubectl's style: no line folding, no anchors. */
export async function yamlText(data: unknown, { isForTerminal }: Writing): Promise<string> {
  // Loaded only where it is used: most commands write no YAML, and should not wait for it.
  const { Document, visit } = await import('yaml');
  const document = new Document(data, {
    aliasDuplicateObjects: false,
    sortMapEntries: true,
    // Quotes strings that YAML 1.1 readers (including Kubernetes) would not read as strings.
    version: '1.1',
  });
  if (isForTerminal) {
    // YAML allows escapes only in double quotes.
    visit(document, {
      Scalar: (_, node) => {
        if (typeof node.value === 'string' && isHiding(node.value)) node.type = 'QUOTE_DOUBLE';
      },
    });
  }
  const text = document.toString({ lineWidth: 0, indentSeq: false });
  return isForTerminal ? visibleYaml(text) : text;
}
