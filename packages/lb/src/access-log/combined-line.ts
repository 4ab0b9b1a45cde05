import type { ExchangeRecord } from '@rollcall/dataplane';

/** The request fields that a line needs. */
export const COMBINED_FIELDS: readonly string[] = ['referer', 'user-agent', 'authorization'];

const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;
const EACH_ESCAPE = /["\\]|[^\x20-\x7e]/g;
const BASIC = /^basic +([A-Za-z0-9+/=_-]+)$/i;

/** As nginx does it: nothing that a client sends can end a quoted part or a line. */
function escaped(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replaceAll(EACH_ESCAPE, (character) =>
    Array.from(Buffer.from(character, 'latin1'), hexOf).join(''),
  );
}

const hexOf = (byte: number): string => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;

const orDash = (text: string | undefined): string =>
  text === undefined || text === '' ? '-' : escaped(text);

/** The name that a client gave, right or wrong. A space in it would look like the next part. */
function userOf(authorization: string | undefined): string {
  const [, encoded] = BASIC.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return '-';
  const [user = ''] = Buffer.from(encoded, 'base64').toString('latin1').split(':');
  return orDash(user).replaceAll(' ', '\\x20');
}

function requestLineOf({ method, target, minorVersion }: ExchangeRecord): string {
  return method === '' ? '-' : escaped(`${method} ${target} HTTP/1.${minorVersion}`);
}

/** One request in the combined format of NCSA, as nginx writes it. `time`: as {@link combinedTime} has it. */
export function formatCombinedLine(record: ExchangeRecord, time: string): string {
  const { clientAddress, status, responseBytes, responseHeadBytes, keptFields } = record;
  const [referer, userAgent, authorization] = keptFields;
  return (
    `${clientAddress} - ${userOf(authorization)} [${time}] "${requestLineOf(record)}" ${status} ` +
    `${responseBytes - responseHeadBytes} "${orDash(referer)}" "${orDash(userAgent)}"\n`
  );
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const two = (value: number): string => String(value).padStart(2, '0');

/** `30/Nov/2026:20:41:09 +0100`, in the time zone of the process. */
export function combinedTime(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day}:${time} ${zone}`;
}
