import { expect, test } from 'vitest';
import { type Step, stepped } from './json-patch.ts';

const OBJECT = {
  spec: { type: 'ClusterIP', ports: [{ port: 80 }, { port: 81 }] },
  labels: { a: '1' },
};
const after = (...steps: Step[]) => stepped(OBJECT, steps);

test('the operations', () => {
  expect(after({ op: 'add', path: '/labels/b', value: '2' }).labels).toEqual({ a: '1', b: '2' });
  expect(after({ op: 'add', path: '/spec/ports/1', value: { port: 9 } }).spec.ports).toEqual([
    { port: 80 },
    { port: 9 },
    { port: 81 },
  ]);
  expect(after({ op: 'add', path: '/spec/ports/-', value: 1 }).spec.ports).toHaveLength(3);
  expect(after({ op: 'remove', path: '/spec/ports/0' }).spec.ports).toEqual([{ port: 81 }]);
  expect(after({ op: 'replace', path: '/spec/ports/0/port', value: 1 }).spec.ports[0]).toEqual({
    port: 1,
  });
  expect(after({ op: 'replace', path: '', value: { x: 1 } })).toEqual({ x: 1 });
  expect(OBJECT.spec.ports).toHaveLength(2);
});

test('copies and moves go to places that are new', () => {
  expect(after({ op: 'copy', from: '/labels/a', path: '/labels/b' }).labels).toEqual({
    a: '1',
    b: '1',
  });
  expect(after({ op: 'move', from: '/labels/a', path: '/spec/a' })).toEqual({
    spec: { ...OBJECT.spec, a: '1' },
    labels: {},
  });
  expect(after({ op: 'move', from: '/spec/ports/1', path: '/spec/ports/0' }).spec.ports).toEqual([
    { port: 81 },
    { port: 80 },
  ]);
  const copied = after(
    { op: 'copy', from: '/spec/ports/0', path: '/spec/ports/-' },
    { op: 'replace', path: '/spec/ports/2/port', value: 82 },
  );
  expect(copied.spec.ports).toEqual([{ port: 80 }, { port: 81 }, { port: 82 }]);
});

test('a test goes on, or ends it', () => {
  const path = '/spec/ports/0';
  expect(after({ op: 'test', path, value: { port: 80 } })).toEqual(OBJECT);
  expect(() => after({ op: 'test', path, value: { port: 8 } })).toThrow('it has another value');
});

test('keys with / and ~', () => {
  const path = '/labels/a.test~1x~01';
  expect(after({ op: 'add', path, value: '' }).labels).toHaveProperty(['a.test/x~1'], '');
});

test('the name of an inherited property is a name', () => {
  const { labels } = after({ op: 'add', path: '/labels/__proto__', value: 'x' });
  expect(Object.hasOwn(labels, '__proto__')).toBe(true);
  expect(() => after({ op: 'remove', path: '/labels/constructor' })).toThrow('no such field');
});

test.each<[string, Step]>([
  ['there is no such field', { op: 'remove', path: '/spec/x' }],
  ['there is no such field', { op: 'replace', path: '/spec/x', value: 1 }],
  ['there is no such field', { op: 'add', path: '/x/y', value: 1 }],
  ['there is no such field', { op: 'copy', from: '/x', path: '/y' }],
  ['there is no such field', { op: 'remove', path: '/spec/ports/2' }],
  ['there is no such field', { op: 'remove', path: '/spec/ports/-' }],
  ['an index up to 2, or -', { op: 'add', path: '/spec/ports/3', value: 1 }],
  ['an index up to 2, or -', { op: 'add', path: '/spec/ports/01', value: 1 }],
  ['a value', { op: 'add', path: '/x' }],
  ['begins with /', { op: 'add', path: 'x', value: 1 }],
  ['begins with /', { op: 'move', path: '/x' }],
  ['moved into itself', { op: 'move', from: '/spec', path: '/spec/x' }],
  ['one of the ops', { op: 'put', path: '/x', value: 1 }],
])('%s: %o', (why, step) => {
  expect(() => after(step)).toThrow(why);
});

test.each([null, 5, 'x', [[]]])('a step that is %j is refused', (step) => {
  expect(() => stepped(OBJECT, [step] as unknown as Step[])).toThrow('expected mappings as steps');
});
