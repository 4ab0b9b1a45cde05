import { systemRandom } from '@rollcall/runtime';
import { expect, test } from 'vitest';
import { sealingKeyOf, SecretSeal } from './secret-seal.ts';

const REF = { namespace: 'shop', name: 'own' };
const CONTENT = { 'tls.crt': 'Y2VydA==', 'tls.key': 'a2V5' };

const keyOf = (byte: number) => Buffer.alloc(32, byte);
const sealWith = (...bytes: readonly [number, ...number[]]) =>
  new SecretSeal(bytes.map(keyOf) as [Buffer, ...Buffer[]], systemRandom);

test('what is sealed opens, is not readable, and is another text each time', () => {
  const seal = sealWith(1);
  const [one, two] = [seal.seal(REF, CONTENT), seal.seal(REF, CONTENT)];
  expect(seal.open(REF, one)).toEqual(CONTENT);
  expect(one).not.toBe(two);
  const inside = Buffer.from(one.split('.')[1]!, 'base64').toString('latin1');
  for (const text of ['tls.crt', 'Y2VydA', 'a2V5']) expect(inside).not.toContain(text);
});

test('the first key seals, every key opens', () => {
  const old = sealWith(1).seal(REF, CONTENT);
  const rotated = sealWith(2, 1);
  expect(rotated.open(REF, old)).toEqual(CONTENT);
  const fresh = rotated.seal(REF, CONTENT);
  expect(sealWith(1).open(REF, fresh)).toBeUndefined();
  expect(sealWith(2).open(REF, fresh)).toEqual(CONTENT);
});

test('it opens under its own name only, and unchanged', () => {
  const seal = sealWith(1);
  const sealed = seal.seal(REF, CONTENT);
  expect(seal.open({ ...REF, name: 'other' }, sealed)).toBeUndefined();
  expect(seal.open({ ...REF, namespace: 'lab' }, sealed)).toBeUndefined();
  const [id = '', text = ''] = sealed.split('.');
  const bytes = Buffer.from(text, 'base64');
  for (const at of [0, 13, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    expect(seal.open(REF, `${id}.${changed.toString('base64')}`)).toBeUndefined();
  }
  for (const spoilt of ['', id, `${id}.`, `${id}.AAAA`, `${id}.${text.slice(0, 40)}`])
    expect(seal.open(REF, spoilt)).toBeUndefined();
});

test.each([
  [keyOf(7).toString('base64'), true],
  [keyOf(7).toString('hex'), true],
  [Buffer.alloc(31, 7).toString('base64'), false],
  [Buffer.alloc(33, 7).toString('base64'), false],
  [keyOf(7).toString('hex').slice(1), false],
  ['', false],
  [`${keyOf(7).toString('base64')} `, false],
])('the key %j', (line, isOne) => {
  expect(sealingKeyOf(line)?.equals(keyOf(7)) ?? false).toBe(isOne);
});
