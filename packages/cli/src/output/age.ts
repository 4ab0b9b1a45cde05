const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration in kubectl's format: `38s`, `3m12s`, `45m`, `5h3m`, `26h`, `3d4h`, `12d`, `2y30d`, `9y`. Of something that
 * is yet to come it is `<invalid>`: the clocks of two machines differ.
 */
export function durationText(ms: number): string {
  if (ms <= -2_000) return '<invalid>';
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const both = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
  const minutes = Math.floor(seconds / MINUTE);
  const hours = Math.floor(seconds / HOUR);
  const days = Math.floor(seconds / DAY);
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (minutes < 10) return both(minutes, 'm', seconds % MINUTE, 's');
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (days < 8) return both(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(seconds / YEAR);
  return years < 8 ? both(years, 'y', days % 365, 'd') : `${years}y`;
}

/** The age of a timestamp; `<unknown>` without one. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  const ms = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(ms) ? '<unknown>' : durationText(nowMs - ms);
}
