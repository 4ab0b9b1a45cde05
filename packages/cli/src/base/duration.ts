import { usageError } from './cli-error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses `30s`, `5m`, `1h30m` or plain milliseconds to ms. Throws a usage error that names the option. */
export function durationMs(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) {
    throw usageError(`--${option}: expected a duration such as 30s, 5m or 1h, got "${text}"`);
  }
  let sum = 0;
  for (const [, digits, unit = ''] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    sum += Number(digits) * (UNITS[unit] ?? 0);
  }
  return sum;
}
