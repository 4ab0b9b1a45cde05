import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { BrowserGuard, type BrowserGuardOptions } from './browser-guard.ts';
import { isHostPattern } from './options/host-patterns.ts';

const ask = (
  headers: Readonly<Record<string, string>>,
  options: BrowserGuardOptions = {},
  more: { readonly httpVersion?: string; readonly localAddress?: string } = {},
) => {
  const { httpVersion = '1.1', localAddress = '127.0.0.1' } = more;
  const request = { headers, httpVersion, socket: { localAddress } };
  return new BrowserGuard(options).refusalOf(request as unknown as IncomingMessage)?.code;
};
const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe('Host', () => {
  test.each([
    ['127.0.0.1:7400'],
    ['127.8.9.10'],
    ['localhost:7400'],
    ['LOCALHOST.'],
    ['web.localhost:80'],
    ['[::1]:7400'],
    [`${hostname()}:7400`],
  ])('%s is the machine itself', (host) => {
    expect(ask({ host })).toBeUndefined();
  });

  test.each([
    ['evil.example:7400'],
    ['localhost.evil.example'],
    ['127.0.0.1.evil.example'],
    ['evil-localhost'],
    ['203.0.113.7'],
    ['[2001:db8::7]:7400'],
    ['127.0.0.1@evil.example'],
    ['evil.example, 127.0.0.1'],
    ['0x7f000001'],
    ['[::1].evil.example'],
    ['a b'],
    [':7400'],
  ])('%s is not', (host) => {
    expect(ask({ host })).toBe('host_refused');
  });

  test('the address that was connected to, also where IPv4 comes as IPv6, and those of other interfaces', () => {
    const localAddress = '::ffff:203.0.113.7';
    expect(ask({ host: '203.0.113.7:7400' }, {}, { localAddress })).toBeUndefined();
    expect(ask({ host: '203.0.113.8:7400' }, {}, { localAddress })).toBe('host_refused');
    if (own !== undefined) expect(ask({ host: `${own}:7400` })).toBeUndefined();
  });

  test('other hosts are allowed under way', () => {
    const guard = new BrowserGuard();
    const codeOf = () =>
      guard.refusalOf({
        headers: { host: 'lb.internal' },
        httpVersion: '1.1',
        socket: { localAddress: '127.0.0.1' },
      } as unknown as IncomingMessage)?.code;
    guard.setAllowHosts(['lb.internal']);
    expect(codeOf()).toBeUndefined();
    guard.setAllowHosts([]);
    expect(codeOf()).toBe('host_refused');
  });

  test('a verdict is kept for the address that it was found for', () => {
    const guard = new BrowserGuard();
    const at = (localAddress: string) =>
      guard.refusalOf({
        headers: { host: '203.0.113.7' },
        httpVersion: '1.1',
        socket: { localAddress },
      } as unknown as IncomingMessage);
    expect(at('203.0.113.7')).toBeUndefined();
    expect(at('127.0.0.1')?.code).toBe('host_refused');
  });

  test('further hosts, by name, suffix or all', () => {
    const allowHosts = ['registry', '*.shop.internal', '10.0.0.5'];
    for (const host of ['registry:7400', 'Registry.', 'a.b.shop.internal', '10.0.0.5:7400']) {
      expect(ask({ host }, { allowHosts }), host).toBeUndefined();
    }
    for (const host of ['shop.internal', 'registry.evil.example', 'xshop.internal', '10.0.0.6']) {
      expect(ask({ host }, { allowHosts }), host).toBe('host_refused');
    }
    expect(ask({ host: 'anything.example' }, { allowHosts: ['*'] })).toBeUndefined();
  });

  test('HTTP/1.1 names one; HTTP/1.0 need not', () => {
    expect(ask({})).toBe('invalid_request');
    expect(ask({}, {}, { httpVersion: '1.0' })).toBeUndefined();
  });
});

describe('Origin and Sec-Fetch-Site', () => {
  const host = '127.0.0.1:7400';
  test.each<[Record<string, string>, boolean]>([
    [{ origin: 'http://127.0.0.1:7400' }, true],
    [{ origin: 'http://127.0.0.1:7400', 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ origin: 'http://127.0.0.1:3000' }, false],
    [{ origin: 'http://localhost:7400' }, false],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
    [{ origin: 'http://127.0.0.1:7400.evil.example' }, false],
    [{ origin: 'http://127.0.0.1:7400', 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-origin, cross-site' }, false],
    [{ 'sec-fetch-site': '' }, false],
  ])('%j is let in: %s', (headers, isLetIn) => {
    expect(ask({ host, ...headers })).toBe(isLetIn ? undefined : 'origin_refused');
  });

  test('further origins', () => {
    const options = { allowOrigins: ['https://console.example'] };
    const headers = { host, origin: 'https://console.example', 'sec-fetch-site': 'cross-site' };
    expect(ask(headers, options)).toBeUndefined();
    expect(ask({ ...headers, origin: 'https://evil.example' }, options)).toBe('origin_refused');
    expect(ask({ ...headers, host: 'evil.example' }, options)).toBe('host_refused');
  });

  test('whoever bears a known token is no stranger', () => {
    const isTrusted = (authorization: string | undefined) => authorization === 'Bearer right';
    const headers = { host: 'evil.example', origin: 'https://evil.example' };
    expect(ask({ ...headers, authorization: 'Bearer right' }, { isTrusted })).toBeUndefined();
    expect(ask({ ...headers, authorization: 'Bearer wrong' }, { isTrusted })).toBe('host_refused');
    expect(ask(headers, { isTrusted })).toBe('host_refused');
  });
});

test('what a list of hosts may hold', () => {
  for (const text of ['a', 'a.b-c', '*.a', '*', '10.0.0.1', '::1', 'a_b', 'a.']) {
    expect(isHostPattern(text), text).toBe(true);
  }
  for (const text of ['', 'a:80', 'http://a', '*a', 'a.*', 'a b', '-a', '[::1]', '*.*']) {
    expect(isHostPattern(text), text).toBe(false);
  }
});
