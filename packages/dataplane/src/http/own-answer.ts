import type { Respond } from '../model/router.ts';
import type { RequestRecord } from './exchange-record.ts';
import { encodeAnswer } from './problem.ts';

const HEAD_END = '\r\n\r\n';

/** An answer of the balancer itself, as bytes, which is noted in the record. `date`: the line of the head. */
export function ownAnswer(
  record: RequestRecord,
  answer: Omit<Respond, 'kind'>,
  keepsAlive: boolean,
  date: string,
): Buffer {
  record.status = answer.status;
  record.reason = answer.code;
  record.detail = answer.cause ?? '';
  const connection = record.connectionOf(keepsAlive);
  const bytes = encodeAnswer(answer, { isHead: record.isHead, connection, date });
  record.responseHeadBytes += bytes.indexOf(HEAD_END) + HEAD_END.length;
  return bytes;
}
