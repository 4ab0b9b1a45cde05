import { FileFault, type FilePlace } from './file-fault.ts';

/** One object in a PEM file. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, ... */
  readonly label: string;
  /** The line in which it begins, from 1. */
  readonly line: number;
  /** With its first and last line. */
  readonly text: string;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/;
/** Old encrypted keys begin with a few of these. */
const HEADER = /^[A-Za-z-]+: /;
const CONTENT = /^[A-Za-z0-9+/]*={0,2}\s*$/;

/**
 * The objects in a PEM file; text around them is a comment.
 * @throws FileFault with the line of an object that does not end, or of content that is none.
 */
export function pemBlocks(text: string, place: FilePlace): PemBlock[] {
  const lines = text.split('\n');
  const blocks: PemBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    const [, label] = BEGIN.exec(lines[i]!) ?? [];
    if (label === undefined) continue;
    const end = endOf(lines, { from: i, label }, place);
    blocks.push({ label, line: i + 1, text: `${lines.slice(i, end + 1).join('\n')}\n` });
    i = end;
  }
  return blocks;
}

function endOf(
  lines: readonly string[],
  { from, label }: { readonly from: number; readonly label: string },
  place: FilePlace,
): number {
  const end = `-----END ${label}-----`;
  for (let i = from + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.trimEnd() === end) return i;
    if (CONTENT.test(line) || HEADER.test(line)) continue;
    throw new FileFault(place, `base64 or "${end}"`, i + 1);
  }
  throw new FileFault(place, `"${end}" after "-----BEGIN ${label}-----"`, from + 1);
}
