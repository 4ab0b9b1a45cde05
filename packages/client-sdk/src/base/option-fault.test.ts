import { describe, expect, test } from 'vitest';
import { hintOf } from '@rollcall/contract';
import type { RollcallOptions } from '../api/options.ts';
import type { RegisterOptions } from '../api/registration.ts';
import { Rollcall } from '../rollcall.ts';

const url = 'http://127.0.0.1:1';

const messageOf = (options: unknown): string => {
  try {
    new Rollcall(options as RollcallOptions);
    return 'taken';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('name, value, what was expected, what may have been meant', () => {
  const clients: [unknown, string][] = [
    [{}, 'option url: expected an http:// or https:// url, or a list of them, got nothing'],
    [
      { urls: url },
      'option url: expected an http:// or https:// url, or a list of them, got nothing',
    ],
    [{ url: 7400 }, 'option url: expected an http:// or https:// url, or a list of them, got 7400'],
    [
      { url: 'localhost:7400' },
      'option url: expected an http:// or https:// url, got "localhost:7400"',
    ],
    [{ url, tokn: 'x' }, 'option tokn: there is no such option; did you mean token?'],
    [{ url, colour: 'x' }, 'option colour: there is no such option'],
    [
      { url, calls: { maxTrys: 1 } },
      'option calls.maxTrys: there is no such option; did you mean maxTries?',
    ],
    [
      { url, calls: { retryBudget: { Ratio: 1 } } },
      'option calls.retryBudget.Ratio: there is no such option; did you mean ratio?',
    ],
    [{ url, calls: { maxTries: '3' } }, 'option calls.maxTries: expected number, got "3"'],
    [{ url, silenceMs: -1 }, 'option silenceMs: expected milliseconds, 100 to 600000, got -1'],
    [
      { url, policy: 'roundrobin' },
      'option policy: expected one of "p2c"|"round-robin"|"random"|"least-outstanding"|"shortest-delay"|"hash", got "roundrobin"; did you mean round-robin?',
    ],
    [undefined, 'option : expected object, got nothing'],
  ];
  test.each(clients)('%j', (options, message) => {
    const policies = /expected one of .*, got/;
    const clean = (text: string) => text.replace(policies, 'expected one of …, got');
    expect(clean(messageOf(options))).toBe(clean(message));
  });

  const registrations: [unknown, string][] = [
    [{ service: 'orders', prot: 1 }, 'option prot: there is no such option; did you mean port?'],
    [
      { service: 'orders', port: '3000' },
      'option port: expected a port number, 1 to 65535, got "3000"',
    ],
    [
      { service: 'orders', port: 1, signal: 'now' },
      'option signal: expected an AbortSignal, got "now"',
    ],
    [
      { service: 'orders', port: 1, onSuperseded: true },
      'option onSuperseded: expected a function, got true',
    ],
    [{ service: 'orders' }, 'option ports: expected exactly one of port and ports, got neither'],
    [
      { service: 'orders', port: 1, ttlMs: 5 },
      'option ttlMs: expected a TTL in whole milliseconds, 1000 to 300000, got 5',
    ],
    [
      { service: 'orders', port: 1, drain: { settle: 1 } },
      'option settle: there is no such option; did you mean settleMs?',
    ],
  ];
  test.each(registrations)('register(%j)', async (options, message) => {
    const client = new Rollcall({ url });
    const pending = client.register(options as RegisterOptions);
    await expect(pending).rejects.toMatchObject({ code: 'invalid_options', message });
  });
});

test.each([
  [{ url, token: 7 }, 'option token: expected string'],
  [{ url, ca: 7 }, 'option ca: expected PEM, as text or bytes or a list of them'],
  [
    { url: 'http://user:secret@127.0.0.1:7400' },
    'option url: expected a url without user name and password: give a token instead, got "http://***@127.0.0.1:7400"',
  ],
  [
    { url: [url, 'ftp://user:se@cret@h'] },
    'option url: expected an http:// or https:// url, got ["http://127.0.0.1:1","ftp://***@h"]',
  ],
])('secrets are not shown: %#', (options, message) => {
  expect(messageOf(options)).toBe(message);
  expect(messageOf(options)).not.toMatch(/secret|cret/);
});

test.each([
  [{ servername: 5 }, 'expected tls.connect options with a text as servername'],
  [{ cert: 'secret', key: 'secret' }, 'expected tls.connect options that Node.js takes: '],
  [{ minVersion: 'TLSv9' }, 'expected tls.connect options that Node.js takes: '],
])('TLS options that no connection could be made with are refused: %j', (connect, message) => {
  for (const options of [
    { url, connect },
    { url, calls: { connect } },
  ]) {
    expect(messageOf(options)).toMatch(/^option (calls\.)?connect: /);
    expect(messageOf(options)).toContain(message);
    expect(messageOf(options)).not.toContain('secret');
  }
});

test.each([
  ['tokn', 'token'],
  ['prot', 'port'],
  ['zoen', 'zone'],
  ['Weight', 'weight'],
  ['nothing', ''],
])('the nearest to %s is %s', (given, near) => {
  const hint = hintOf(given, ['token', 'port', 'zone', 'weight', 'labels']);
  expect(hint).toBe(near === '' ? '' : `; did you mean ${near}?`);
});
