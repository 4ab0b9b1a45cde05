import type { Respond } from '../model/router.ts';
import type { RequestRecord } from './exchange-record.ts';
import type { ExchangeServices } from './exchange-services.ts';
import { encodeAnswer } from './problem.ts';

const HEAD_END = '\r\n\r\n';

/** An answer of the balancer itself, as bytes, which is noted in the record. */
export function ownAnswer(
  record: RequestRecord,
  answer: Omit<Respond, 'kind'>,
  keepsAlive: boolean,
  { date: { text: date }, requestIds }: Pick<ExchangeServices, 'date' | 'requestIds'>,
): Buffer {
  record.status = answer.status;
  record.reason = answer.code;
  record.detail = answer.cause ?? '';
  const connection = record.connectionOf(keepsAlive);
  // A request without a valid head has no id yet.
  if (requestIds !== undefined && record.requestId === '') record.requestId = requestIds.create();
  const more = requestIds?.lineFor(record.requestId, undefined) ?? '';
  const bytes = encodeAnswer(answer, { isHead: record.isHead, connection, date, more });
  record.responseHeadBytes += bytes.indexOf(HEAD_END) + HEAD_END.length;
  return bytes;
}
