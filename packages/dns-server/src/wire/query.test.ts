import {
  assert,
  constantFrom,
  integer,
  property,
  string,
  tuple,
  uint8Array,
  array,
} from 'fast-check';
import { expect, test } from 'vitest';
import { queryBytes } from '../testing/packets.ts';
import { RCODE } from './codes.ts';
import { labelsOf } from './name.ts';
import { DROP, Query, readQuery } from './query.ts';

const label = string({
  unit: constantFrom(...'abcXYZ019-_'.split('')),
  minLength: 1,
  maxLength: 20,
});
const name = array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.'));
const type = constantFrom('A', 'AAAA', 'SRV', 'PTR', 'TXT', 'SOA', 'NS');
const TYPES: Record<string, number> = { A: 1, AAAA: 28, SRV: 33, PTR: 12, TXT: 16, SOA: 6, NS: 2 };

function read(message: Buffer): { code: number; query: Query } {
  const query = new Query();
  return { code: readQuery(message, query), query };
}

test('reads what another encoder wrote', () => {
  assert(
    property(name, type, integer({ min: 1, max: 65_535 }), (text, asked, edns) => {
      const { code, query } = read(queryBytes(text, asked, { edns }));
      expect(code).toBe(0);
      expect(labelsOf(query.name).join('.')).toBe(text.toLowerCase());
      expect(query.type).toBe(TYPES[asked]);
      expect(query).toMatchObject({ class: 1, hasOpt: true, udpBytes: Math.max(512, edns) });
    }),
  );
});

test('what an earlier query said is forgotten', () => {
  const query = new Query();
  readQuery(queryBytes('a', 'A', { edns: 4_096 }), query);
  readQuery(queryBytes('a', 'A'), query);
  expect(query).toMatchObject({ hasOpt: false, udpBytes: 512, isDnssecOk: false });
});

test('garbage never throws, and never reads beyond its end', () => {
  assert(
    property(uint8Array({ maxLength: 600 }), (bytes) => {
      const { code, query } = read(Buffer.from(bytes));
      expect([DROP, 0, RCODE.FORMERR, RCODE.NOTIMP, RCODE.BADVERS]).toContain(code);
      expect(query.questionEnd).toBeLessThanOrEqual(Math.max(12, bytes.length));
    }),
    { numRuns: 2_000 },
  );
});

test('a damaged query never throws; a cut one is never taken for a whole one', () => {
  const damage = array(tuple(integer({ min: 0, max: 80 }), integer({ min: 0, max: 255 })), {
    maxLength: 4,
  });
  assert(
    property(name, damage, integer({ min: 0, max: 200 }), (text, changes, cut) => {
      const whole = queryBytes(text, 'A', { edns: 1_232 });
      const damaged = Buffer.from(whole);
      for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
      read(damaged);
      if (cut < whole.length) expect(read(whole.subarray(0, cut)).code).not.toBe(0);
    }),
    { numRuns: 2_000 },
  );
});

const plain = () => queryBytes('a.example', 'A');
const withOpt = () => queryBytes('a.example', 'A', { edns: 1_232 });
function changed(message: Buffer, change: (message: Buffer) => void): Buffer {
  change(message);
  return message;
}

test.each([
  ['an answer is dropped', changed(plain(), (m) => (m[2] = 0x80)), DROP],
  ['less than a header is dropped', plain().subarray(0, 11), DROP],
  ['an update is not implemented', changed(plain(), (m) => (m[2] = 0x28)), RCODE.NOTIMP],
  ['no question', changed(plain(), (m) => m.writeUInt16BE(0, 4)), RCODE.FORMERR],
  ['two questions', changed(plain(), (m) => m.writeUInt16BE(2, 4)), RCODE.FORMERR],
  ['a label of 64 bytes', changed(plain(), (m) => (m[12] = 64)), RCODE.FORMERR],
  ['a pointer in the question', changed(plain(), (m) => (m[12] = 0xc0)), RCODE.FORMERR],
  ['bytes behind the end', Buffer.concat([plain(), Buffer.from([0])]), RCODE.FORMERR],
  ['a record that is not there', changed(plain(), (m) => (m[11] = 1)), RCODE.FORMERR],
  ['65535 records that are not there', changed(plain(), (m) => m.fill(0xff, 6, 12)), RCODE.FORMERR],
  [
    'OPT with a name',
    Buffer.concat([
      changed(plain(), (m) => (m[11] = 1)),
      Buffer.from('01610000290200000000000000', 'hex'),
    ]),
    RCODE.FORMERR,
  ],
  [
    'OPT as an answer',
    changed(withOpt(), (m) => {
      m[7] = 1;
      m[11] = 0;
    }),
    RCODE.FORMERR,
  ],
  [
    'OPT twice',
    Buffer.concat([changed(withOpt(), (m) => (m[11] = 2)), withOpt().subarray(-11)]),
    RCODE.FORMERR,
  ],
  [
    'an option that reaches out',
    Buffer.concat([changed(withOpt(), (m) => (m[m.length - 1] = 4)), Buffer.from([0, 10, 0, 9])]),
    RCODE.FORMERR,
  ],
  ['EDNS of version 1', changed(withOpt(), (m) => (m[m.length - 5] = 1)), RCODE.BADVERS],
])('%s', (_what, message, code) => {
  expect(read(message).code).toBe(code);
});

test('a name of 255 bytes is read, one of 256 is not', () => {
  const long = (last: number) => [63, 63, 63, last].map((length) => 'a'.repeat(length)).join('.');
  expect(read(queryBytes(long(61), 'A')).code).toBe(0);
  expect(read(queryBytes(long(62), 'A')).code).toBe(RCODE.FORMERR);
});

test('records before OPT are passed over', () => {
  const query = withOpt();
  const record = Buffer.from('c00c000100010000000000040a000001', 'hex');
  const both = Buffer.concat([query.subarray(0, -11), record, query.subarray(-11)]);
  both[11] = 2;
  expect(read(both)).toMatchObject({ code: 0, query: { hasOpt: true, udpBytes: 1_232 } });
});
