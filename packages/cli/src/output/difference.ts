/** Number of context lines shown around a difference. */
const AROUND = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Longest common subsequence with the plain table algorithm: manifests are short. */
function linesOf(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i] ?? '' });
      i++;
      j++;
    } else if (
      i < before.length &&
      (j === after.length ||
        (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      lines.push({ sign: '-', text: before[i++] ?? '' });
    } else lines.push({ sign: '+', text: after[j++] ?? '' });
  }
  return lines;
}

/** The unified diff of two texts, with a heading; empty when they are equal. */
export function differenceText(name: string, before: string, after: string): string {
  if (before === after) return '';
  const split = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
  const lines = linesOf(split(before), split(after));
  const isNear = (at: number) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ sign }) => sign !== ' ');
  let [old, fresh] = [1, 1];
  let hunk: string[] = [];
  let [oldFrom, freshFrom] = [1, 1];
  const hunks: string[] = [];
  const flush = () => {
    if (hunk.length === 0) return;
    const oldSize = hunk.filter((line) => !line.startsWith('+')).length;
    const freshSize = hunk.filter((line) => !line.startsWith('-')).length;
    hunks.push(`@@ -${oldFrom},${oldSize} +${freshFrom},${freshSize} @@`, ...hunk);
    hunk = [];
  };
  for (const [at, { sign, text }] of lines.entries()) {
    if (isNear(at)) {
      if (hunk.length === 0) [oldFrom, freshFrom] = [old, fresh];
      hunk.push(`${sign}${text}`);
    } else flush();
    if (sign !== '+') old++;
    if (sign !== '-') fresh++;
  }
  flush();
  return [`--- live/${name}`, `+++ file/${name}`, ...hunks].map((line) => `${line}\n`).join('');
}
