import { CLASS_IN, HEADER_BYTES, OPT_BYTES, TYPE } from './codes.ts';

const RECURSION_DESIRED = 0x01;

/** A query of this server itself, with EDNS0; its id is 0, and the sender sets it. */
export function writeQuery(key: string, type: number, udpBytes: number): Buffer {
  const questionEnd = HEADER_BYTES + key.length + 4;
  const out = Buffer.alloc(questionEnd + OPT_BYTES);
  out[2] = RECURSION_DESIRED;
  out[5] = 1;
  out[11] = 1;
  out.write(key, HEADER_BYTES, 'latin1');
  out.writeUInt16BE(type, questionEnd - 4);
  out.writeUInt16BE(CLASS_IN, questionEnd - 2);
  out.writeUInt16BE(TYPE.OPT, questionEnd + 1);
  out.writeUInt16BE(udpBytes, questionEnd + 3);
  return out;
}
