import { HEADER_BYTES, PLAIN_UDP_BYTES, RCODE, TYPE } from './codes.ts';

/** Result of {@link readQuery} besides response codes: send no answer. */
export const DROP = -1;

const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const POINTER = 0xc0;
const QUESTION_TAIL_BYTES = 4;
const RECORD_TAIL_BYTES = 10;
const IS_RESPONSE = 0x8000;
const OPCODE = 0x7800;

/** The content of a query. One object is reused, so that the hot path allocates nothing but the name. */
export class Query {
  /** Key of the name: as received, lower-cased, one character per byte. */
  name = '\0';
  type = 0;
  class = 0;
  /** Where the question ends; {@link HEADER_BYTES} when it could not be parsed. */
  questionEnd = HEADER_BYTES;
  /** Whether the client uses EDNS0. */
  hasOpt = false;
  /** Largest answer that the client accepts over UDP, in bytes. */
  udpBytes = PLAIN_UDP_BYTES;
  /** The DO bit, which the answer must copy. */
  isDnssecOk = false;
}

/** Fills `query`; returns 0, the response code for a bad message, or {@link DROP}. Never throws. */
export function readQuery(message: Buffer, query: Query): number {
  query.questionEnd = HEADER_BYTES;
  query.hasOpt = false;
  query.udpBytes = PLAIN_UDP_BYTES;
  query.isDnssecOk = false;
  if (message.length < HEADER_BYTES) return DROP;
  const flags = word(message, 2);
  if ((flags & IS_RESPONSE) !== 0) return DROP;
  if ((flags & OPCODE) !== 0) return RCODE.NOTIMP;
  if (word(message, 4) !== 1) return RCODE.FORMERR;
  const nameEnd = endOfQuestionName(message);
  if (nameEnd === DROP || nameEnd + QUESTION_TAIL_BYTES > message.length) return RCODE.FORMERR;
  query.name = message.toString('latin1', HEADER_BYTES, nameEnd).toLowerCase();
  query.type = word(message, nameEnd);
  query.class = word(message, nameEnd + 2);
  query.questionEnd = nameEnd + QUESTION_TAIL_BYTES;
  return readRecords(message, query);
}

/**
 * Searches the records after the question for OPT, the only relevant one, and checks that
 * no record exceeds the message.
 */
function readRecords(message: Buffer, query: Query): number {
  const others = word(message, 6) + word(message, 8);
  const additionals = word(message, 10);
  let at = query.questionEnd;
  for (let i = 0; i < others + additionals; i++) {
    const tail = endOfName(message, at);
    if (tail === DROP || tail + RECORD_TAIL_BYTES > message.length) return RCODE.FORMERR;
    const end = tail + RECORD_TAIL_BYTES + word(message, tail + 8);
    if (end > message.length) return RCODE.FORMERR;
    if (word(message, tail) === TYPE.OPT) {
      const isMisplaced = i < others || query.hasOpt || tail !== at + 1;
      if (isMisplaced || !hasWholeOptions(message, tail + RECORD_TAIL_BYTES, end))
        return RCODE.FORMERR;
      query.hasOpt = true;
      query.udpBytes = Math.max(PLAIN_UDP_BYTES, word(message, tail + 2));
      query.isDnssecOk = (message[tail + 6]! & 0x80) !== 0;
      if (message[tail + 5] !== 0) return RCODE.BADVERS;
    }
    at = end;
  }
  return at === message.length ? 0 : RCODE.FORMERR;
}

function hasWholeOptions(message: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at + 4 <= end) at += 4 + word(message, at + 2);
  return at === end;
}

/** Where the name of the question ends: it has no pointers, since nothing precedes it. */
function endOfQuestionName(message: Buffer): number {
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > MAX_LABEL_BYTES) return DROP;
    at += 1 + length;
    if (at - HEADER_BYTES > MAX_NAME_BYTES) return DROP;
    if (length === 0) return at;
  }
}

/** Where a name ends that may end with a pointer. The pointer is not followed. */
function endOfName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return DROP;
    if (length >= POINTER) return at + 2;
    if (length > MAX_LABEL_BYTES) return DROP;
    at += 1 + length;
    if (length === 0) return at;
  }
}

function word(message: Buffer, at: number): number {
  return (message[at]! << 8) | message[at + 1]!;
}
