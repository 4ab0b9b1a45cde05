import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { TlsFiles } from '../testing/tls-files.ts';
import { ExpiryWarnings } from './expiry-warnings.ts';
import { readCertificate } from './files/certificate.ts';
import { readNow } from './files/file-contents.ts';

const DAY_MS = 86_400_000;

test('a warning a day from 14 days before the end, an error after it', () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'], toDays: 20 });
  const nowMs = new Date().getTime();
  const read = () => readCertificate(pair, nowMs, readNow);
  const clock = new ManualClock(nowMs);
  const lines: string[] = [];
  const warnings = new ExpiryWarnings(
    clock,
    (message, level) => void lines.push(`${level} ${message}`),
  );
  const pass = (days: number) => {
    for (let day = 0; day < days; day++) {
      // The same certificate, also when it is read again.
      for (let look = 0; look < 3; look++) warnings.check('web', read());
      clock.advance(DAY_MS);
    }
  };
  pass(6);
  expect(lines).toEqual([]);
  pass(1);
  expect(lines).toEqual([
    expect.stringMatching(
      /^warn certificate a\.test of listener web \(.*a\.pem\) expires in 13 days, at /,
    ),
  ]);
  pass(13);
  expect(lines).toHaveLength(14);
  pass(1);
  expect(lines.at(-1)).toMatch(
    /^error certificate a\.test .* has expired, at .*: clients refuse it$/,
  );
});
