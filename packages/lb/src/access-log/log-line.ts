import type { ExchangeRecord, Target } from '@rollcall/dataplane';

const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Fractions of a millisecond, by their number of microseconds. */
const FRACTIONS = Array.from({ length: 1_000 }, (_, us) => String(us).padStart(3, '0'));

/** With three decimals. `toFixed` takes as long as the rest of the line. */
function decimals(ms: number): string {
  const us = Math.round(ms * 1_000);
  return `${Math.floor(us / 1_000)}.${FRACTIONS[us % 1_000]}`;
}

/** Parts of lines by what they depend on. */
const targetParts = new WeakMap<Target, string>();
const NO_TARGET = '"target":"","address":""';

function targetPart(target: Target | undefined): string {
  if (target === undefined) return NO_TARGET;
  let part = targetParts.get(target);
  if (part === undefined) {
    part = `"target":${quoted(target.id)},"address":"${target.host}:${target.port}"`;
    targetParts.set(target, part);
  }
  return part;
}

/**
 * One request as one line of JSON. Query and headers are left out: both may contain secrets. `time` is
 * when the response was complete.
 */
export function formatLogLine(record: ExchangeRecord, time: string): string {
  const id = record.requestId === '' ? '' : `,"requestId":${quoted(record.requestId)}`;
  const detail = record.detail === '' ? '' : `,"detail":${quoted(record.detail)}`;
  return (
    `{"time":"${time}","client":"${record.clientAddress}","method":${quoted(record.method)}` +
    `,"host":${quoted(record.host)},"path":${quoted(record.path)},"protocol":"HTTP/1.${record.minorVersion}"` +
    `,"status":${record.status},"reason":"${record.reason}"${detail},"rule":"${record.rule}","group":"${record.group}",` +
    `${targetPart(record.finalTarget)},"attempts":${record.attempts},"requestBytes":${record.requestBytes}` +
    `,"responseBytes":${record.responseBytes},"durationMs":${decimals(record.durationMs)}${id}}\n`
  );
}
