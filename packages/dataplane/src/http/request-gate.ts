import type { Respond } from '../model/router.ts';
import { ascii, decimal, equalBytes } from './bytes.ts';
import { Field } from './field-table.ts';
import type { RequestHead } from './request-head.ts';
import type { ViaLines } from './via-lines.ts';

const TRACE = ascii('TRACE');
const OPTIONS = ascii('OPTIONS');

const LOOP: Respond = Object.freeze({
  kind: 'respond',
  status: 508,
  code: 'loop_detected',
  detail: 'the request was here before: a target leads back to this balancer',
});
const OPTIONS_ANSWER: Respond = Object.freeze({
  kind: 'respond',
  status: 204,
  code: 'max_forwards',
  detail: 'Max-Forwards is 0: the request ends here',
});

/** Requests that the balancer answers itself, whatever the routing rules say. */
export class RequestGate {
  readonly #via: ViaLines;

  constructor(via: ViaLines) {
    this.#via = via;
  }

  /** Undefined: the request may pass. */
  judge(source: Buffer, head: RequestHead): Respond | undefined {
    const { fields } = head;
    if (fields.has(Field.via) && this.#wasHere(source, head)) return LOOP;
    if (!fields.has(Field.maxForwards) || !isLimited(source, head)) return undefined;
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== Field.maxForwards) continue;
      if (decimal(source, fields.valueStart(i), fields.valueEnd(i)) === 0) {
        return isTrace(source, head) ? traceAnswer(source, head) : OPTIONS_ANSWER;
      }
    }
    return undefined;
  }

  #wasHere(source: Buffer, { fields }: RequestHead): boolean {
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== Field.via) continue;
      const value = source.subarray(fields.valueStart(i), fields.valueEnd(i));
      if (value.includes(this.#via.pseudonym)) return true;
    }
    return false;
  }
}

/** Whether Max-Forwards applies to the method (RFC 9110 section 7.6.2). */
export function isLimited(source: Uint8Array, head: RequestHead): boolean {
  return isTrace(source, head) || equalBytes(source, head.start, head.methodEnd, OPTIONS);
}

function isTrace(source: Uint8Array, { start, methodEnd }: RequestHead): boolean {
  return equalBytes(source, start, methodEnd, TRACE);
}

/** Echoes only the lines that show the path of the request, none that could be secret. */
function traceAnswer(source: Buffer, head: RequestHead): Respond {
  const { fields } = head;
  let body = source.toString('latin1', head.start, head.lineEnd);
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind(i);
    if (kind !== Field.host && kind !== Field.via && kind !== Field.maxForwards) continue;
    body += source.toString('latin1', fields.lineStart(i), fields.lineEnd(i));
  }
  return {
    kind: 'respond',
    status: 200,
    code: 'max_forwards',
    detail: 'Max-Forwards is 0: the request ends here',
    content: { type: 'message/http', body: `${body}\r\n` },
  };
}
