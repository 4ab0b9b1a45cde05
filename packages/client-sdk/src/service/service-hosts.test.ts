import { expect, test } from 'vitest';
import { ServiceHosts } from './service-hosts.ts';

const opened: string[] = [];
const hosts = new ServiceHosts('rollcall', ({ service, scheme }) => {
  opened.push(`${scheme} ${service}`);
  return { isClosed: false, name: service };
});

test.each([
  ['http://orders.rollcall', 'orders'],
  ['http://orders.rollcall/a/b?c#d', 'orders'],
  ['http://orders.rollcall?x=http://stock.rollcall/', 'orders'],
  ['http://orders.rollcall#x', 'orders'],
  [String.raw`http://orders.rollcall\x`, 'orders'],
  // Odd, and urls all the same.
  ['http:/orders.rollcall/x', 'orders'],
  [' HTTP://Orders.Rollcall/x', 'orders'],
  ['http://other.test/?x=http://orders.rollcall/', undefined],
  ['/orders.rollcall', undefined],
  ['orders.rollcall://x', undefined],
])('%s', (url, name) => {
  expect(hosts.at(url)?.name).toBe(name);
});

test('an origin is parsed once', () => {
  opened.length = 0;
  for (let i = 0; i < 10; i++) hosts.at(`https://orders.rollcall/${i}`);
  expect(opened).toEqual(['https orders']);
});
