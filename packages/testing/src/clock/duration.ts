import { invalidOption } from '../base/invalid-option.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 86_400_000;

/** Milliseconds, or a text such as `30s`: a number and `ms`, `s`, `m` or `h`. */
export type Duration = number | string;

/** In ms. Throws a RollcallError `invalid_options` that names the value. */
export function durationMs(given: Duration): number {
  const ms = typeof given === 'string' ? parsed(given) : given;
  if (ms >= 0 && ms <= LONGEST_MS) return ms;
  throw invalidOption(
    `option duration: expected milliseconds, or a text such as 500ms, 30s or 5m, at most 24h, got ${JSON.stringify(given)}`,
    'duration',
  );
}

function parsed(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? Number.NaN);
}
