import { expect, test } from 'vitest';
import { normalPath } from './normal-path.ts';

test.each([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/', '/a/'],
  ['/%61dmin', '/admin'],
  ['/a%2Db%7e', '/a-b~'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%20b', '/a%20b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/b/..', '/a/'],
  ['/a/.', '/a/'],
  ['//a///b', '/a/b'],
  ['/..a/...', '/..a/...'],
  ['/a;x=1', '/a;x=1'],
])('%s is %s', (path, normal) => {
  expect(normalPath(path)).toBe(normal);
  expect(normalPath(normal)).toBe(normal);
});

test.each([
  '/a%2fb',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a%',
  '/a%zz',
  '/a%4',
  '/../a',
  '/a/../../b',
])('%s can be read in several ways', (path) => {
  expect(normalPath(path)).toBeUndefined();
});
