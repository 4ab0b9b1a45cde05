import type { Respond } from '../model/router.ts';
import type { RequestRecord } from './exchange-record.ts';
import { encodeAnswer } from './problem.ts';

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
  return encodeAnswer(answer, { isHead: record.isHead, connection, date });
}
