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
