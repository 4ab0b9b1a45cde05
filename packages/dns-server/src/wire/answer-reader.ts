import { HEADER_BYTES, TYPE } from './codes.ts';
import { addressType } from './address.ts';
import type { DnsRecord } from './record.ts';

const POINTER = 0xc0;
const MAX_LABEL_BYTES = 63;
const MAX_NAME_LENGTH = 253;
const RECORD_TAIL_BYTES = 10;
const QUESTION_TAIL_BYTES = 4;

/** The address records in another server's answer. */
export interface AddressAnswer {
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** A, AAAA and CNAME records of the answer section, in order; other records are skipped. */
  readonly records: readonly DnsRecord[];
}

interface Name {
  readonly text: string;
  readonly end: number;
}

/** Parses an answer with one question; undefined when it is malformed. Never throws. */
export function readAddressAnswer(message: Buffer): AddressAnswer | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const question = readName(message, HEADER_BYTES);
  if (question === undefined) return undefined;
  const records: DnsRecord[] = [];
  let at = question.end + QUESTION_TAIL_BYTES;
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const owner = readName(message, at);
    if (owner === undefined || owner.end + RECORD_TAIL_BYTES > message.length) return undefined;
    const data = owner.end + RECORD_TAIL_BYTES;
    at = data + message.readUInt16BE(owner.end + 8);
    if (at > message.length) return undefined;
    const record = recordOf(message, owner, at);
    if (record !== undefined) records.push(record);
  }
  return { rcode: message[3]! & 0x0f, isTruncated: (message[2]! & 0x02) !== 0, records };
}

function recordOf(message: Buffer, owner: Name, end: number): DnsRecord | undefined {
  const type = message.readUInt16BE(owner.end);
  const start = owner.end + RECORD_TAIL_BYTES;
  const ttl = message.readUInt32BE(owner.end + 4);
  const name = owner.text;
  if (type === TYPE.CNAME) {
    const target = readName(message, start)?.text;
    return target === undefined ? undefined : { name, ttl, type, target };
  }
  const bytes = { [TYPE.A]: 4, [TYPE.AAAA]: 16 }[type];
  if (bytes !== end - start) return undefined;
  const address = Uint8Array.from(message.subarray(start, end));
  return { name, ttl, type: addressType(address), address };
}

/** Reads a name and follows its pointers: each must point further back than the one before, so that the loop ends. */
function readName(message: Buffer, start: number): Name | undefined {
  const labels: string[] = [];
  let [at, end, before, length] = [start, 0, start, 0];
  for (;;) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size === 0) return { text: labels.join('.'), end: end === 0 ? at + 1 : end };
    if (size >= POINTER) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      if (end === 0) end = at + 2;
      at = ((size & 0x3f) << 8) | low;
      if (at >= before) return undefined;
      before = at;
      continue;
    }
    length += size + 1;
    if (size > MAX_LABEL_BYTES || length > MAX_NAME_LENGTH + 1) return undefined;
    labels.push(message.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
}
