import { HEADER_BYTES, OPT_BYTES, TYPE } from './codes.ts';
import type { PreparedAnswer } from './prepared-answer.ts';
import type { Query } from './query.ts';

const IS_RESPONSE = 0x80;
const AUTHORITATIVE = 0x04;
const TRUNCATED = 0x02;
const OPCODE_AND_RD = 0x79;
const RECURSION_AVAILABLE = 0x80;
const CHECKING_DISABLED = 0x10;

export interface ResponseWriterOptions {
  /** Largest UDP message that this server accepts, in bytes; sent in the OPT record of answers. */
  readonly udpBytes: number;
  /** Whether names outside its zones are forwarded. */
  readonly isRecursive: boolean;
}

/** Creates responses to queries: id, question (bit for bit), RD and CD are copied from the query. */
export class ResponseWriter {
  readonly #udpBytes: number;
  readonly #recursion: number;

  constructor({ udpBytes, isRecursive }: ResponseWriterOptions) {
    this.#udpBytes = udpBytes;
    this.#recursion = isRecursive ? RECURSION_AVAILABLE : 0;
  }

  /**
   * A response of at most `limit` bytes: additionals that do not fit are left out; TC is set when answers are left out.
   * If the order of the answers is free, each call starts with the next one.
   */
  encode(message: Buffer, query: Query, prepared: PreparedAnswer, limit: number): Buffer {
    const { questionEnd, hasOpt } = query;
    const optBytes = hasOpt ? OPT_BYTES : 0;
    const { bytes, ends, answers, authorities, additionals } = prepared;
    const room = limit - questionEnd - optBytes;
    const count = bytes.length <= room ? ends.length : fitting(ends, room);
    const length = count === 0 ? 0 : ends[count - 1]!;
    const out = Buffer.allocUnsafe(questionEnd + length + optBytes);
    message.copy(out, 0, 0, questionEnd);
    const isTruncated = count < answers;
    out[2] =
      IS_RESPONSE | (message[2]! & OPCODE_AND_RD) | AUTHORITATIVE | (isTruncated ? TRUNCATED : 0);
    out[3] = this.#recursion | (message[3]! & CHECKING_DISABLED) | prepared.rcode;
    const taken = Math.min(count, answers);
    const named = Math.max(0, Math.min(count - answers, authorities));
    const added = Math.max(0, Math.min(count - answers - authorities, additionals));
    writeCounts(out, taken, named, added + (hasOpt ? 1 : 0));
    if (prepared.stride === 0) bytes.copy(out, questionEnd, 0, length);
    else copyTurned(prepared, out, questionEnd, taken);
    if (prepared.echo !== undefined)
      copyEchoes(prepared.echo, message, out, { from: questionEnd, to: questionEnd + length });
    if (hasOpt) this.#writeOpt(out, questionEnd + length, query, 0);
    return out;
  }

  /** A refusal or fault: no records except OPT; includes the question only if it could be parsed. */
  fault(message: Buffer, query: Query, rcode: number, { isTruncated = false } = {}): Buffer {
    const { questionEnd, hasOpt } = query;
    const out = Buffer.allocUnsafe(questionEnd + (hasOpt ? OPT_BYTES : 0));
    message.copy(out, 0, 0, questionEnd);
    out[2] = IS_RESPONSE | (message[2]! & OPCODE_AND_RD) | (isTruncated ? TRUNCATED : 0);
    out[3] = this.#recursion | (message[3]! & CHECKING_DISABLED) | (rcode & 0x0f);
    out[4] = 0;
    out[5] = questionEnd > HEADER_BYTES ? 1 : 0;
    writeCounts(out, 0, 0, hasOpt ? 1 : 0);
    if (hasOpt) this.#writeOpt(out, questionEnd, query, rcode >> 4);
    return out;
  }

  #writeOpt(out: Buffer, at: number, query: Query, extendedRcode: number): void {
    out[at] = 0;
    out[at + 1] = 0;
    out[at + 2] = TYPE.OPT;
    out[at + 3] = this.#udpBytes >> 8;
    out[at + 4] = this.#udpBytes & 0xff;
    out[at + 5] = extendedRcode;
    out[at + 6] = 0;
    out[at + 7] = query.isDnssecOk ? 0x80 : 0;
    out[at + 8] = 0;
    out[at + 9] = 0;
    out[at + 10] = 0;
  }
}

/** The response code of a message, for counting; the upper bits in OPT (BADVERS) are ignored. */
export function rcodeOf(message: Buffer): number {
  return message[3]! & 0x0f;
}

/** Whether the message is marked as truncated. */
export function isCut(message: Buffer): boolean {
  return (message[2]! & TRUNCATED) !== 0;
}

/** Number of records that fit into `room` bytes. */
function fitting(ends: readonly number[], room: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ends[middle - 1]! <= room) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Copies `count` answers, starting with the one whose turn it is. The answers wrap around. */
function copyTurned(prepared: PreparedAnswer, out: Buffer, at: number, count: number): void {
  const { bytes, answers, stride } = prepared;
  const first = prepared.turn;
  prepared.turn = first + 1 >= answers ? 0 : first + 1;
  const untilEnd = Math.min(count, answers - first);
  bytes.copy(out, at, first * stride, (first + untilEnd) * stride);
  bytes.copy(out, at + untilEnd * stride, 0, (count - untilEnd) * stride);
}

/** Gives copies of a suffix of the question its letter case. */
function copyEchoes(
  { from, length, at }: NonNullable<PreparedAnswer['echo']>,
  message: Buffer,
  out: Buffer,
  records: { readonly from: number; readonly to: number },
): void {
  for (const place of at) {
    const start = records.from + place;
    if (start + length > records.to) break;
    message.copy(out, start, from, from + length);
  }
}

function writeCounts(out: Buffer, answers: number, authorities: number, additionals: number): void {
  out[6] = answers >> 8;
  out[7] = answers & 0xff;
  out[8] = authorities >> 8;
  out[9] = authorities & 0xff;
  out[10] = additionals >> 8;
  out[11] = additionals & 0xff;
}
