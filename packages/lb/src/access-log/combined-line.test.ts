import type { ExchangeRecord } from '@rollcall/dataplane';
import { systemClock } from '@rollcall/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessLog } from './access-log.ts';
import { combinedTime, formatCombinedLine } from './combined-line.ts';

function recordOf(given: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    method: 'GET',
    host: 'shop.example',
    target: '/a?b=c',
    path: '/a',
    clientAddress: '192.0.2.7',
    status: 200,
    reason: '',
    detail: '',
    rule: '',
    group: 'shop',
    finalTarget: undefined,
    attempts: 1,
    requestBytes: 40,
    responseBytes: 1_100,
    responseHeadBytes: 100,
    requestId: '',
    keptFields: ['https://shop.example/', 'curl/8', undefined],
    minorVersion: 1,
    durationMs: 1,
    ...given,
  };
}

const TIME = '30/Nov/2026:20:41:09 +0000';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a line is as nginx writes it', () => {
  expect(formatCombinedLine(recordOf(), TIME)).toBe(
    `192.0.2.7 - - [${TIME}] "GET /a?b=c HTTP/1.1" 200 1000 "https://shop.example/" "curl/8"\n`,
  );
});

test.each<[string, Partial<ExchangeRecord>, string]>([
  ['no fields', { keptFields: [undefined, '', undefined] }, '200 1000 "-" "-"'],
  ['no valid head', { method: '', target: '', keptFields: [] }, '"-" 200 1000 "-" "-"'],
  ['a quote and a backslash', { keptFields: ['a"b', 'c\\'] }, '"a\\x22b" "c\\x5C"'],
  ['what is not ASCII', { keptFields: ['é\t', '\n\x7f'] }, '"\\xE9\\x09" "\\x0A\\x7F"'],
  ['a user', { keptFields: ['', '', basic('ann:secret')] }, '192.0.2.7 - ann ['],
  [
    'a user with a space',
    { keptFields: ['', '', basic('a - [x] "')] },
    ' - a\\x20-\\x20[x]\\x20\\x22 [',
  ],
  ['another scheme', { keptFields: ['', '', 'Bearer YW5uOng='] }, '192.0.2.7 - - ['],
])('%s', (_name, given, part) => {
  expect(formatCombinedLine(recordOf(given), TIME)).toContain(part);
});

test('whatever a client sends, there is one line, and its parts are where they belong', () => {
  const anyText = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  const LINE =
    /^192\.0\.2\.7 - (?:[^ "]+) \[[^\]]+\] "(?:[^"\\]|\\x[0-9A-F]{2})*" 404 1000 "(?:[^"\\]|\\x[0-9A-F]{2})*" "(?:[^"\\]|\\x[0-9A-F]{2})*"\n$/;
  fc.assert(
    fc.property(anyText, anyText, anyText, anyText, (target, referer, agent, user) => {
      const keptFields = [referer, agent, basic(user)];
      const line = formatCombinedLine(recordOf({ status: 404, target, keptFields }), TIME);
      expect(line).toMatch(LINE);
      expect(line).toMatch(/^[\x20-\x7e]*\n$/);
    }),
  );
});

test('the time is that of the zone of the process', () => {
  const text = combinedTime(Date.UTC(2026, 10, 5, 3, 4, 5));
  expect(text).toMatch(/^\d\d\/Nov\/2026:\d\d:\d\d:05 [+-]\d{4}$/);
  const [, day = '', clock = '', zone = ''] = /^(\d\d)\/Nov\/2026:(\S+) (\S+)$/.exec(text) ?? [];
  const read = Date.parse(`2026-11-${day}T${clock}${zone.slice(0, 3)}:${zone.slice(3)}`);
  expect(read).toBe(Date.UTC(2026, 10, 5, 3, 4, 5));
});

test('of a sample, requests with a fault of a server are all written', () => {
  const written: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => void written.push(bytes),
    backlogBytes: () => 0,
    close: async () => {},
  };
  let draw = 0;
  const log = new AccessLog(sink, { clock: systemClock, random: () => (draw++ % 10) / 10 });
  log.configure({ format: 'combined', sample: 0.3 });
  for (let i = 0; i < 100; i++) log.add(recordOf({ target: `/${i}` }));
  log.add(recordOf({ status: 500, target: '/bad' }));
  log.add(recordOf({ status: 499, target: '/gone' }));
  log.configure({ format: 'combined', sample: 0 });
  log.add(recordOf({ target: '/none' }));
  log.add(recordOf({ status: 503, target: '/busy' }));
  log.flush();
  const lines = Buffer.concat(written).toString().trimEnd().split('\n');
  expect(lines).toHaveLength(33);
  expect(lines.slice(-3)).toEqual([
    expect.stringContaining('/bad'),
    expect.stringContaining('/gone'),
    expect.stringContaining('/busy'),
  ]);
});
