/** Why a request is refused. */
export interface Refusal {
  readonly status: 400 | 403 | 421;
  readonly code: 'invalid_request' | 'origin_refused' | 'host_refused';
  readonly message: string;
  /** The wrong header. */
  readonly field: string;
}
