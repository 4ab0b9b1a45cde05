import { PROBLEM_MEDIA_TYPE, type ProblemCode, ProblemError } from '@rollcall/contract';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { StoreUnavailableError } from '../store/store.ts';

/** Refusals of Fastify itself, in our words. */
const FASTIFY_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    "expected the header 'content-type: application/json', or application/yaml for manifests",
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'expected a body within --max-body-bytes'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'invalid_request',
    'expected a body as long as Content-Length says',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_json', 'expected a JSON body'],
  FST_ERR_BAD_URL: ['invalid_request', 'expected a path with valid percent-encoding'],
};

/** Retry-After of a retryable refusal, in seconds, unless the refusal has its own. */
const RETRY_AFTER_SECONDS = 1;

/** Converts any error to a problem. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof StoreUnavailableError) {
    const message =
      'the store cannot be reached or refuses to write; the log of this server says why';
    return new ProblemError('store_unavailable', message, { cause: error });
  }
  const { code, statusCode, message } = error as Partial<FastifyError>;
  const known = FASTIFY_CODES[code ?? ''];
  if (known !== undefined) return new ProblemError(known[0], known[1], { cause: error });
  if (error instanceof SyntaxError || (statusCode === 400 && code === undefined)) {
    return new ProblemError('malformed_json', `expected a JSON body: ${message}`, { cause: error });
  }
  if (statusCode === 413)
    return new ProblemError('body_too_large', message ?? '', { cause: error });
  return new ProblemError('internal_error', 'the registry failed; its log says why', {
    cause: error,
  });
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, problem: ProblemError): FastifyReply {
  const { retryable, retryAfterSeconds, status } = problem;
  if (retryable) reply.header('retry-after', retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  // A caller that still sends must be able to read the refusal: the rest of its request is read and dropped, for as
  // long as a request may take. Closing with unread bytes would reset the connection, and the answer would be lost.
  const { raw } = reply.request;
  if (!raw.complete) {
    reply.removeHeader('connection');
    raw.resume();
  }
  return reply
    .code(status)
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem.toProblem());
}

/** Fastify's error handler. */
export function onError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = asProblem(error);
  if (problem.code === 'internal_error') request.log.error({ err: error }, 'request failed');
  return sendProblem(reply, problem);
}
