import {
  array,
  assert,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  tuple,
  uint8Array,
} from 'fast-check';
import { expect, test } from 'vitest';
import { queryBytes } from '../testing/packets.ts';
import { readAddressAnswer } from './answer-reader.ts';
import { RCODE, TYPE } from './codes.ts';
import { keyOf } from './name.ts';
import { prepareAnswer } from './prepared-answer.ts';
import { Query, readQuery } from './query.ts';
import { writeQuery } from './query-writer.ts';
import type { DnsRecord } from './record.ts';
import { ResponseWriter } from './response-writer.ts';

const writer = new ResponseWriter({ udpBytes: 1_232, isRecursive: true });
const ASKED = 'db.example.com';

function written(answers: readonly DnsRecord[], rcode: number = RCODE.NOERROR): Buffer {
  const message = queryBytes(ASKED, 'A');
  const query = new Query();
  readQuery(message, query);
  return writer.encode(message, query, prepareAnswer(query.name, { rcode, answers }), 65_535);
}

const name = constantFrom(ASKED, 'a.example.com', 'b.a.example.com', 'com', 'x.example.net');
const ttl = integer({ min: 0, max: 2 ** 31 });
const useful = oneof(
  record({
    name,
    ttl,
    type: constantFrom(TYPE.A),
    address: uint8Array({ minLength: 4, maxLength: 4 }),
  }),
  record({
    name,
    ttl,
    type: constantFrom(TYPE.AAAA),
    address: uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  record({ name, ttl, type: constantFrom(TYPE.CNAME), target: name }),
);
const other = record({
  name,
  ttl,
  type: constantFrom(TYPE.TXT),
  texts: array(constantFrom('a', 'b')),
});

test('reads addresses and aliases, compressed or not, and passes over the rest', () => {
  assert(
    property(array(oneof(useful, other), { maxLength: 10 }), (records) => {
      const read = readAddressAnswer(written(records))!;
      expect(read).toMatchObject({ rcode: 0, isTruncated: false });
      expect(read.records).toEqual(records.filter(({ type }) => type !== TYPE.TXT));
    }),
  );
});

test('garbage and damage never throw and always end', () => {
  const records = array(useful, { maxLength: 5 });
  const damage = array(tuple(integer({ min: 0, max: 200 }), integer({ min: 0, max: 255 })));
  assert(
    property(uint8Array({ maxLength: 300 }), (bytes) => void readAddressAnswer(Buffer.from(bytes))),
    { numRuns: 1_000 },
  );
  assert(
    property(records, damage, (some, changes) => {
      const bytes = written(some);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      readAddressAnswer(bytes);
    }),
    { numRuns: 1_000 },
  );
});

test('a pointer to itself ends it', () => {
  const bytes = written([]);
  bytes.writeUInt16BE(0xc00c, 12);
  expect(readAddressAnswer(bytes)).toBeUndefined();
});

test('a query of our own is one that we would answer', () => {
  const query = new Query();
  const key = keyOf(ASKED)!;
  expect(readQuery(writeQuery(key, TYPE.AAAA, 1_232), query)).toBe(0);
  expect(query).toMatchObject({
    name: key,
    type: TYPE.AAAA,
    class: 1,
    hasOpt: true,
    udpBytes: 1_232,
  });
});
