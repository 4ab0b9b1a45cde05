import type { Respond } from '../model/router.ts';

const REASONS: Record<number, string> = {
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};

export interface AnswerShape {
  readonly isHead: boolean;
  readonly connection: 'implied' | 'close' | 'keep-alive';
  /** The line `Date: ...`. */
  readonly date: string;
  /** Further lines, each with its end. */
  readonly more: string;
}

/** A response of the balancer itself, as bytes. The body and `Rollcall-Reason` contain the reason. */
export function encodeAnswer(answer: Omit<Respond, 'kind'>, shape: AnswerShape): Buffer {
  const { status, code, detail } = answer;
  const title = REASONS[status] ?? 'Unknown';
  const body = answer.content?.body ?? `${JSON.stringify({ status, title, code, detail })}\n`;
  const type = answer.content?.type ?? 'application/problem+json';
  const isBodyless = status === 204 || status === 304;
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    shape.date,
    ...(isBodyless ? [] : [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`]),
    `Rollcall-Reason: ${code}`,
  ];
  if (status === 503 || status === 429) lines.push(`Retry-After: ${answer.retryAfterSeconds ?? 1}`);
  if (answer.location !== undefined) lines.push(`Location: ${answer.location}`);
  if (answer.fields !== undefined) lines.push(...answer.fields);
  if (shape.connection !== 'implied') lines.push(`Connection: ${shape.connection}`);
  const sent = shape.isHead || isBodyless ? '' : body;
  return Buffer.from(`${lines.join('\r\n')}\r\n${shape.more}\r\n${sent}`);
}
