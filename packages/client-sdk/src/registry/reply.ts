import { Problem } from '@rollcall/contract';
import type { IncomingHttpHeaders } from 'node:http';
import { RollcallError } from '../base/error.ts';

/** Servers of version 0.1 send `message` only. */
const AnyProblem = Problem.partial({ detail: true, message: true });

/** Converts a refusal of the registry to an error; a reply that is not a problem document is retryable. */
export function errorOfReply(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  from = 'the registry',
): RollcallError {
  const retryAfterMs = retryAfterMsOf(headers);
  const problem = AnyProblem.safeParse(jsonOf(body));
  if (!problem.success) {
    const message = `${from} answered ${status} without a problem document, as no registry does: ${excerptOf(body)}`;
    return new RollcallError('registry_garbled', message, retryAfterMs);
  }
  const { code, title, field, message = title, detail = message, faults = [] } = problem.data;
  return new RollcallError(code, detail, { field, faults, ...retryAfterMs });
}

/** The start of an untrusted text, on one line. */
function excerptOf(body: string): string {
  const line = body
    .slice(0, 400)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : JSON.stringify(line);
}

/** Parses JSON; undefined when the text is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function retryAfterMsOf(headers: IncomingHttpHeaders): { retryAfterMs?: number } {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return seconds >= 0 ? { retryAfterMs: seconds * 1_000 } : {};
}
