import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check';
import { expect, test } from 'vitest';
import { decoded, lines, queryBytes } from '../testing/packets.ts';
import { addressBytes } from './address.ts';
import { RCODE, TYPE } from './codes.ts';
import { keyOf } from './name.ts';
import { type Sections, prepareAnswer } from './prepared-answer.ts';
import { Query, readQuery } from './query.ts';
import type { DnsRecord } from './record.ts';
import { ResponseWriter } from './response-writer.ts';

const writer = new ResponseWriter({ udpBytes: 1_232, isRecursive: false });

function answer(message: Buffer, sections: Sections, limit = 65_535): Buffer {
  const query = new Query();
  expect(readQuery(message, query)).toBe(0);
  return writer.encode(message, query, prepareAnswer(query.name, sections), limit);
}

const label = string({ unit: constantFrom(...'abc01-'.split('')), minLength: 1, maxLength: 12 });
// Few endings, so that there is something to compress.
const name = array(label, { minLength: 0, maxLength: 3 }).map((labels) =>
  [...labels, 'default', 'svc', 'cluster', 'local'].join('.'),
);
const ttl = integer({ min: 0, max: 2 ** 31 - 1 });
const word = integer({ min: 0, max: 65_535 });
const owner = { name, ttl };
const dnsRecord = oneof(
  record({
    ...owner,
    type: constantFrom(TYPE.A),
    address: uint8Array({ minLength: 4, maxLength: 4 }),
  }),
  record({
    ...owner,
    type: constantFrom(TYPE.AAAA),
    address: uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  record({ ...owner, type: constantFrom(TYPE.CNAME, TYPE.NS, TYPE.PTR), target: name }),
  record({
    ...owner,
    type: constantFrom(TYPE.SRV),
    priority: word,
    weight: word,
    port: word,
    target: name,
  }),
  record({
    ...owner,
    type: constantFrom(TYPE.TXT),
    texts: array(string({ unit: 'binary-ascii', maxLength: 255 }), { minLength: 1, maxLength: 3 }),
  }),
  record({
    ...owner,
    type: constantFrom(TYPE.SOA),
    primary: name,
    mailbox: name,
    serial: integer({ min: 0, max: 2 ** 32 - 1 }),
    minimum: ttl,
  }),
);

/** A record as dns-packet shows it. */
function shown(given: DnsRecord): object {
  const { name: owned, ttl: seconds } = given;
  const head = { name: owned, ttl: seconds };
  switch (given.type) {
    case TYPE.A:
    case TYPE.AAAA:
      return head;
    case TYPE.SRV: {
      const { priority, weight, port, target } = given;
      return { ...head, data: { priority, weight, port, target } };
    }
    case TYPE.TXT:
    case TYPE.HINFO:
      return { ...head, data: given.texts.map((text) => Buffer.from(text)) };
    case TYPE.SOA: {
      const { primary: mname, mailbox: rname, serial, minimum } = given;
      return { ...head, data: { mname, rname, serial, minimum } };
    }
    default:
      return { ...head, data: given.target };
  }
}

test('another decoder reads what was written, compressed names and all', () => {
  const some = array(dnsRecord, { maxLength: 12 });
  assert(
    property(
      name,
      some,
      some,
      some,
      boolean(),
      (asked, answers, authorities, additionals, hasOpt) => {
        const message = queryBytes(asked, 'A', hasOpt ? { edns: 1_232 } : {});
        const read = decoded(answer(message, { answers, authorities, additionals }));
        expect(read.questions).toMatchObject([{ name: asked, type: 'A' }]);
        expect(read.answers).toMatchObject(answers.map(shown));
        expect(read.authorities).toMatchObject(authorities.map(shown));
        const opt = hasOpt ? [{ type: 'OPT', udpPayloadSize: 1_232 }] : [];
        expect(read.additionals).toMatchObject([...additionals.map(shown), ...opt]);
      },
    ),
  );
});

test('no answer is larger than its limit; TC says that answers are missing, never that additionals are', () => {
  const some = array(dnsRecord, { maxLength: 40 });
  const limits = integer({ min: 512, max: 4_000 });
  assert(
    property(name, some, some, limits, (asked, answers, additionals, limit) => {
      const message = queryBytes(asked, 'A', { edns: limit });
      const bytes = answer(message, { answers, additionals }, limit);
      const read = decoded(bytes);
      expect(bytes.length).toBeLessThanOrEqual(limit);
      expect(read.flag_tc).toBe(read.answers!.length < answers.length);
      expect(read.answers).toMatchObject(answers.slice(0, read.answers!.length).map(shown));
      if (read.flag_tc) expect(lines(read.additionals)).toEqual([]);
      expect(read.additionals!.at(-1)).toMatchObject({ type: 'OPT' });
    }),
  );
});

test('the question comes back bit for bit, with id, RD and CD', () => {
  const asked = 'NgInX.DeFaUlT.sVc.cLuStEr.LoCaL';
  for (const isRecursionDesired of [true, false]) {
    const message = queryBytes(asked, 'A', { id: 0xbeef, isRecursionDesired });
    message[3] = 0x10;
    const records = [{ type: TYPE.A, ttl: 5, address: addressBytes('10.0.0.1')! }];
    const bytes = answer(message, { answers: records });
    expect(bytes.subarray(12, message.length)).toEqual(message.subarray(12));
    const read = decoded(bytes);
    expect(read).toMatchObject({ id: 0xbeef, flag_qr: true, flag_aa: true, flag_ra: false });
    expect(read).toMatchObject({ flag_rd: isRecursionDesired, flag_cd: true, flag_z: false });
    expect(read.answers).toMatchObject([{ name: asked, data: '10.0.0.1' }]);
  }
});

test('cut answers in turn show all addresses sooner or later', () => {
  const answers = Array.from({ length: 100 }, (_, i) => ({
    type: TYPE.A,
    ttl: 5,
    address: Uint8Array.of(10, 0, 0, i),
  }));
  const message = queryBytes('nginx', 'A');
  const query = new Query();
  readQuery(message, query);
  const prepared = prepareAnswer(query.name, { answers });
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const read = decoded(writer.encode(message, query, prepared, 512));
    expect(read.flag_tc).toBe(true);
    expect(new Set(lines(read.answers)).size).toBe(read.answers!.length);
    for (const line of lines(read.answers)) seen.add(line);
  }
  expect(seen.size).toBe(100);
});

test('targets of SRV are not compressed; additionals point to them', () => {
  const target = 'web-0.nginx.default.svc.cluster.local';
  const bytes = answer(queryBytes('_http._tcp.nginx.default.svc.cluster.local', 'SRV'), {
    answers: [{ type: TYPE.SRV, ttl: 5, priority: 0, weight: 1, port: 80, target }],
    additionals: [{ name: target, type: TYPE.A, ttl: 5, address: addressBytes('10.0.0.1')! }],
  });
  expect(bytes.includes(Buffer.from(keyOf(target)!, 'latin1'))).toBe(true);
  // Pointer, type, class, TTL, length and address.
  expect(bytes.length - bytes.indexOf(Buffer.from(keyOf(target)!, 'latin1'))).toBe(
    target.length + 2 + 16,
  );
});

test('a record that cannot be written is left out', () => {
  const target = `${'a'.repeat(64)}.example`;
  const answers = [{ type: TYPE.CNAME, ttl: 5, target }] as const;
  expect(decoded(answer(queryBytes('x', 'A'), { answers })).answers).toEqual([]);
});

test('more than a message holds is cut at its end', () => {
  const answers = Array.from({ length: 5_000 }, (_, i) => ({
    type: TYPE.SRV,
    ttl: 5,
    priority: 0,
    weight: 1,
    port: 80,
    target: `web-${i}.nginx.default.svc.cluster.local`,
  }));
  const bytes = answer(queryBytes('nginx', 'SRV'), { answers, additionals: answers });
  expect(bytes.length).toBeLessThanOrEqual(65_535);
  const read = decoded(bytes);
  expect(read.flag_tc).toBe(true);
  expect(read.answers!.length).toBeGreaterThan(1_000);
});

test('faults carry what could be read of the query and nothing else', () => {
  const query = new Query();
  const message = queryBytes('x', 'A', { edns: 1_232 });
  readQuery(message, query);
  const bad = decoded(writer.fault(message, query, RCODE.BADVERS));
  expect(bad.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  expect(bad).toMatchObject({ rcode: 'NOERROR', flag_aa: false, questions: [{ name: 'x' }] });
  const broken = Buffer.from('0102010000010000000000004001', 'hex');
  expect(readQuery(broken, query)).toBe(RCODE.FORMERR);
  expect(writer.fault(broken, query, RCODE.FORMERR).toString('hex')).toBe(
    '010281010000000000000000',
  );
});
