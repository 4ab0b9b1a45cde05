import { expect, test } from 'vitest';
import { assertHost } from './host-check.ts';

test.each([
  { node: '22.19.0' },
  { node: '24.11.0' },
  { node: '26.0.0' },
  { node: '24.3.0', deno: '2.9.6' },
  process.versions,
])('runs on %j', (versions) => {
  expect(() => assertHost(versions)).not.toThrow();
});

test.each([
  [{ node: '20.20.2' }, 'Node.js 20.20.2'],
  [{ node: '22.18.0' }, 'Node.js 22.18.0'],
  [{ node: '24.3.0', bun: '1.3.0' }, 'Bun 1.3.0'],
  [{ node: '24.3.0', deno: '2.5.0' }, 'Deno 2.5.0'],
])('says in one sentence that it does not run on %j', (versions, name) => {
  const message = `the Rollcall client needs Node.js 22.19 or Deno 2.9, or later, and this is ${name}`;
  expect(() => assertHost(versions)).toThrow(message);
});
