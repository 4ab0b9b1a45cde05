const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 7 * 86_400_000;

/** What is accepted as a duration, for messages. */
export const DURATION = 'a duration such as 30s, 5m or 1h30m, at most 168h';

/** In ms; undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,6}[smh])+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit = ''] of text.matchAll(/(\d+)([smh])/g))
    sum += Number(digits) * (UNITS[unit] ?? 0);
  return sum > 0 && sum <= LONGEST_MS ? sum : undefined;
}
