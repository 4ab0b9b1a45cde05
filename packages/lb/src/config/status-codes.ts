const RANGE = /^(\d{3})(?:-(\d{3}))?$/;

/** Which status codes count: `200-299,301`. Undefined when the text is no such list. */
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
