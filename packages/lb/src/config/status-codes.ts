const RANGE = /^(\d{3})(?:-(\d{3}))?$/;

/** Parses a list of status codes such as `200-299,301`. Undefined when the text is not such a list. */
export function parseStatusCodes(text: string): ((status: number) => boolean) | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = RANGE.exec(part.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first < 100 || last > 599 || last < first) return undefined;
    ranges.push([first, last]);
  }
  return (status) => ranges.some(([first, last]) => status >= first && status <= last);
}
