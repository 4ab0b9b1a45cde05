import type { ExchangeRecord } from '@rollcall/dataplane';

const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/**
 * One request as one line of JSON. Query and headers are left out: both may contain secrets. `time` is
 * when the response was complete.
 */
export function formatLogLine(record: ExchangeRecord, time: string): string {
  const { finalTarget } = record;
  const detail = record.detail === '' ? '' : `,"detail":${quoted(record.detail)}`;
  return (
    `{"time":"${time}","client":"${record.clientAddress}","method":${quoted(record.method)}` +
    `,"host":${quoted(record.host)},"path":${quoted(record.path)},"protocol":"HTTP/1.${record.minorVersion}"` +
    `,"status":${record.status},"reason":"${record.reason}"${detail},"group":"${record.group}"` +
    `,"target":${quoted(finalTarget?.id ?? '')}` +
    `,"address":"${finalTarget === undefined ? '' : `${finalTarget.host}:${finalTarget.port}`}"` +
    `,"attempts":${record.attempts},"requestBytes":${record.requestBytes}` +
    `,"responseBytes":${record.responseBytes},"durationMs":${record.durationMs.toFixed(3)}}\n`
  );
}
