import type { Respond } from '../model/router.ts';
import { ascii } from './bytes.ts';

/** Responses to clients whose request never became complete. */
export const HEAD_TIMEOUT = {
  status: 408,
  code: 'client_head_timeout',
  detail: 'the head of the request did not arrive in time',
};
export const BODY_TIMEOUT = {
  status: 408,
  code: 'client_body_timeout',
  detail: 'the body of the request stopped arriving',
};
export const BODY_CUT = {
  status: 400,
  code: 'client_body_cut',
  detail: 'the connection ended inside the body of the request',
};
export const BODY_TOO_LARGE = {
  status: 413,
  code: 'body_too_large',
  detail: 'the body of the request is longer than this path allows',
};
export const TOO_MANY_REQUESTS: Respond = Object.freeze({
  kind: 'respond',
  status: 429,
  code: 'source_rate_limited',
  detail: 'too many requests from this source',
});

/** What a client that announces a body is told before its target is. */
export const CONTINUE = ascii('HTTP/1.1 100 Continue\r\n\r\n');
